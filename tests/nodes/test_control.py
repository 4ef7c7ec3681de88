"""SD 1.5 with two ControlNets: each has a weight, and the network is called once a step."""

import pytest
from comfy_server import ServerError
from compare import off
from graph_sd15 import SD15, said

pytestmark = pytest.mark.host

ONE = "a red circle on the table"
STEPS = 2
KINDS = ("MMC_Depth", "MMC_Pose")
FAULT = {"after": 0, "rows": 0, "times": 0}
SAID = {
    "interrupt": "^interrupted$", "memory": "probe: out of memory", "error": "the network failed"
}  # fmt: skip


def picture(g, which):
    return g.asset(("depth", "pose")[which])


def spatial(g, which, net, **strength):
    """Depth with control a (0), pose with control b (1)."""
    strength = {"weight": 1.5, "start": 0.0, "end": 1.0, **strength}
    return g.add(KINDS[which], image=picture(g, which), control_net=net, **strength)


def counting(g):
    """The count, and both ControlNets under it."""
    count = g.count()
    return count, [g.counted_control(which, count) for which in (0, 1)]


def three(g, nets):
    return g.text(ONE, weight=3.0), *(spatial(g, which, nets[which]) for which in (0, 1))


def calls(found):
    """(rows of each network call, calls of control a, calls of control b)."""
    names = [call["name"] for call in found["control"]]
    return [call["rows"] for call in found["unet"]], names.count("a"), names.count("b")


def test_three_inputs_are_one_call_a_step_where_core_needs_three(sd15):
    g = SD15()
    loaded = g.model
    count, nets = counting(g)
    ours = g.guided(*three(g, nets), composition="leave_one_out")
    g.keep(ours)
    one = g.counted(ours, count)

    g.model = loaded
    count, nets = counting(g)
    words, none = g.words(ONE), g.words()
    without_pose, _ = g.controlled(words, none, nets[0], picture(g, 0))
    everything, _ = g.controlled(without_pose, none, nets[1], picture(g, 1))
    guider = g.add(
        "DualCFGGuider", model=g.model, cond1=everything, cond2=without_pose, negative=none,
        cfg_conds=1.5, cfg_cond2_negative=3.0, style="regular",
    )  # fmt: skip
    core = g.custom(guider)
    g.keep(core)
    other = g.counted(core, count)

    outputs = sd15.run(g.prompt)
    assert calls(said(outputs, one)) == ([4] * STEPS, STEPS, STEPS)
    rows, a, b = calls(said(outputs, other))
    assert len(rows) == 3 * STEPS
    assert (a, b) == (2 * STEPS, STEPS)


def test_text_beside_a_control_of_weight_1_is_core_with_the_control_on_both_sides(sd15):
    g = SD15()
    net = g.control(0)
    positive, negative = g.controlled(g.words(ONE), g.words(), net, picture(g, 0))
    g.keep(g.native(ONE, cfg=3.5))
    g.keep(
        g.add(
            "KSampler", model=g.model, positive=positive, negative=negative, cfg=3.5,
            **g.sampling(),
        )
    )  # fmt: skip
    g.keep(g.guided(g.text(ONE, weight=3.5), spatial(g, 0, net, weight=1.0)))
    without, core, ours = sd15.latents(g.prompt)
    assert off(core, without) > 1e-2
    assert off(ours, core) < 1e-5


def test_a_control_of_weight_0_or_with_a_closed_window_is_never_called(sd15):
    g = SD15()
    native = g.native(ONE, cfg=3.0)
    count, nets = counting(g)
    text = g.text(ONE, weight=3.0)
    depth, pose = spatial(g, 0, nets[0], weight=0.0), spatial(g, 1, nets[1], start=0.4, end=0.4)
    sampled = g.guided(text, depth, pose)
    g.keep(sampled)
    g.keep(native)
    probe = g.counted(sampled, count)
    outputs = sd15.run(g.prompt)
    ours, core = sd15.saved(outputs)
    assert calls(said(outputs, probe)) == ([2] * STEPS, 0, 0)
    assert ours.equal(core)


def test_a_control_acts_in_its_window_only(sd15):
    """Three steps, of which the window holds the first: the pair runs there, then text alone."""
    g = SD15()
    count, nets = counting(g)
    depth = spatial(g, 0, nets[0], end=0.2)
    sampled = g.guided(g.text(ONE, weight=3.0), depth, steps=3, scheduler="simple")
    g.keep(sampled)
    probe = g.counted(sampled, count)
    outputs = sd15.run(g.prompt)
    assert calls(said(outputs, probe)) == ([3, 2, 2], 1, 0)


def run(sd15, fault=None, of=None, weights=False):
    """(latent, calls, state) of the three inputs in one step, run anew.

    of: the ControlNet that fails, 0 or 1; else the network does.
    """
    g = SD15()
    loaded, nets = g.model, [g.control(0), g.control(1)]
    used = list(nets)
    if fault and of is None:
        g.model = g.add("ProbeFault", model=g.model, **{**FAULT, **fault})
    elif fault:
        used[of] = g.add("ProbeFaultControl", control_net=nets[of], **fault)
    count = g.count()
    used = [
        g.add("ProbeCountControl", control_net=net, count=count, name=name)
        for net, name in zip(used, "ab", strict=True)
    ]
    sampled = g.guided(*three(g, used), steps=1)
    g.keep(sampled)
    probe = g.counted(sampled, count)
    g.model = loaded
    states = [g.state(samples=sampled, control_net=net, weights=weights) for net in nets]
    outputs = sd15.run(g.prompt)
    (latent,) = sd15.saved(outputs)
    return latent, calls(said(outputs, probe)), [said(outputs, state) for state in states]


def test_ten_runs_with_cancels_and_lack_of_memory_are_one_and_the_same(sd15):
    latent, ran, before = run(sd15, weights=True)
    assert ran == ([4], 1, 1)
    *_, state = run(sd15)
    faults = ("interrupt", None), ("memory", 1), ("error", None), ("interrupt", 0)
    for fault, of in faults:
        with pytest.raises(ServerError, match=SAID[fault]):
            run(sd15, {"fault": fault}, of)
        last = (fault, of) == faults[-1]
        again, ran, left = run(sd15, weights=last)
        assert again.equal(latent), (fault, of)
        assert ran == ([4], 1, 1)
        assert left == (before if last else state)


@pytest.mark.parametrize("fit", [1, 2])
def test_rows_that_do_not_fit_together_are_run_in_smaller_calls(sd15, fit):
    whole, _, _ = run(sd15)
    split, (rows, _, _), _ = run(sd15, {"fault": "memory", "rows": fit})
    assert max(rows) <= fit
    assert sum(rows) == 4
    assert off(split, whole) < 1e-4


def test_a_row_that_does_not_fit_alone_is_an_error(sd15):
    with pytest.raises(ServerError, match="memory"):
        run(sd15, {"fault": "memory"})
