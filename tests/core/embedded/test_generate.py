"""Sampling under a program: reproducible, exact about absence, and sample by sample."""

from dataclasses import replace

import pytest
import torch

from mm_core.embedded import generate as module
from mm_core.embedded.conditions import EncodedStream, row_inputs
from mm_core.embedded.encode import encode_depth, encode_style, encode_text
from mm_core.embedded.generate import GuidedModel, Settings, generate, initial_noise, noised
from mm_core.errors import InputError, PlanError
from mm_core.guidance.corrections import Correction
from mm_core.guidance.program import Program
from mm_core.guidance.speed import at_speed
from mm_core.guidance.trace import Trace
from mm_core.types import NULL, Modality, Row, Window

SETTINGS = Settings(steps=3, seed=7, batch=2)
NEVER = Window(0.5, 0.5)


@pytest.fixture(scope="module")
def encoded(shipped, scenes):
    with torch.inference_mode():
        return {
            "text": encode_text(shipped.text, "a red star"),
            "style": encode_style(shipped.adapters, scenes.small[:1].float() / 255),
            "depth": encode_depth(shipped.adapters, scenes.depth[:1].float() / 255),
        }


@pytest.fixture(scope="module")
def make(shipped, encoded):
    """make(Modality(...), ..., settings=...) -> pictures and their cost."""
    null = encoded["text"].null

    def run(*modalities, settings=SETTINGS, inputs=encoded, on_step=None, on_report=None, **given):
        chosen, program = {m.name: inputs[m.name] for m in modalities}, Program(modalities, **given)
        return generate(shipped, program, chosen, null, settings, on_step, on_report=on_report)

    return run


TEXT = Modality("text", 3.0)


@pytest.fixture(scope="module")
def plain(make):
    return make(TEXT)


def test_a_seed_gives_the_same_pictures_bit_for_bit(make, plain):
    assert torch.equal(make(TEXT)[0], plain[0])


def test_another_seed_gives_other_pictures(make, plain):
    other = make(TEXT, settings=Settings(steps=3, seed=8, batch=2))[0]
    assert (other - plain[0]).abs().max() > 0.1


def test_pictures_of_a_batch_differ(plain):
    assert (plain[0][0] - plain[0][1]).abs().max() > 0.1


@pytest.mark.parametrize("name", ["style", "depth"])
@pytest.mark.parametrize("idle", [{"weight": 0.0}, {"weight": 2.0, "window": NEVER}])
def test_an_input_that_does_not_act_is_as_good_as_absent_bit_for_bit_and_costs_nothing(
    make, plain, name, idle
):
    pictures, cost = make(TEXT, Modality(name, **idle))
    assert torch.equal(pictures, plain[0])
    assert cost == plain[1]


def test_no_input_is_all_inputs_at_weight_0(make):
    none = make()
    assert torch.equal(make(Modality("text", 0.0), Modality("style", 0.0))[0], none[0])
    assert none[1].rows == none[1].evaluations == 3


def test_guidance_is_the_formula_over_separate_calls_of_the_network(shipped, encoded, noise):
    x, sigma = noise(2, 8, 16, 16), 0.7
    program = Program((Modality("text", 3.0), Modality("style", 1.5)))
    chosen = {name: encoded[name] for name in ("text", "style")}
    null = encoded["text"].null

    def denoised(*seen):
        inputs = row_inputs(Row.of(seen), chosen)
        both = {k: v.expand(2, *v.shape[1:]) for k, v in inputs.items()}
        return x - sigma * shipped.denoiser(x, torch.full((2,), 1000 * sigma), **both)

    j = denoised("text", "style")
    expected = j + 2.0 * (j - denoised("style")) + 0.5 * (j - denoised("text"))
    found = GuidedModel(shipped.denoiser, program, chosen, null)(x, sigma)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("modalities", "program", "rows"),
    [
        ((TEXT,), {}, 2),
        ((TEXT, Modality("style", 1.0)), {}, 2),
        ((TEXT, Modality("style", 2.0)), {}, 3),
        ((TEXT, Modality("style", 2.0)), {"push": 0.0}, 1),
        ((TEXT, Modality("style", 3.0)), {"composition": "chained"}, 2),
        ((TEXT, Modality("style", 2.0), Modality("depth", 1.5)), {"composition": "joint"}, 2),
    ],
)
def test_a_run_costs_its_rows_at_every_step_and_one_call(make, modalities, program, rows):
    cost = make(*modalities, **program)[1]
    assert (cost.evaluations, cost.rows, cost.calls) == (3, 3 * rows, 3)


def test_speeds_save_rows_and_stay_near_the_exact_picture(shipped, encoded):
    settings = Settings(steps=10, seed=7)
    program = Program(tuple(Modality(name, 2.0) for name in encoded))

    def at(speed):
        chosen, effort = at_speed(program, speed)
        null = encoded["text"].null
        return generate(shipped, chosen, encoded, null, settings, effort=effort)

    exact, cost = at("exact")
    assert cost.rows == 40
    fewer = {"balanced": 39, "fast": 16, "draft": 10}
    for speed, rows in fewer.items():
        pictures, cost = at(speed)
        assert cost.rows <= rows
        assert not torch.equal(pictures, exact)
    assert (at("balanced")[0] - exact).square().mean() < 1e-3


def test_a_correction_acts_on_each_picture_by_itself(make, shipped, encoded):
    burnt, _ = make(Modality("text", 9.0))
    calm, _ = make(Modality("text", 9.0), correction=Correction("rescale"))
    assert not torch.equal(burnt, calm)
    assert torch.isfinite(calm).all()
    other = Settings(steps=3, seed=7, batch=1)
    alone, _ = make(Modality("text", 9.0), settings=other, correction=Correction("rescale"))
    torch.testing.assert_close(alone, calm[:1], rtol=0, atol=1e-4)


def test_a_mask_on_a_weight_acts_where_it_is_white(make):
    left = torch.zeros(1, 16, 16)
    left[..., :8] = 1
    pushed, _ = make(Modality("text", 6.0))
    half, cost = make(Modality("text", 6.0, mask=left))
    bare, _ = make(Modality("text", 1.0))
    assert cost.rows == 6
    near, far = ((half - other).abs().mean((0, 1, 2)) for other in (pushed, bare))
    assert near[:32].mean() < far[:32].mean()
    assert near[-32:].mean() > far[-32:].mean()


def test_weights_of_each_image_are_those_of_the_image_alone(make):
    both, _ = make(Modality("text", (1.0, 5.0)))
    weak, _ = make(Modality("text", 1.0))
    strong, _ = make(Modality("text", 5.0))
    torch.testing.assert_close(both[0], weak[0], rtol=0, atol=1e-4)
    torch.testing.assert_close(both[1], strong[1], rtol=0, atol=1e-4)


def test_weights_of_more_images_than_there_are_are_refused(make):
    with pytest.raises(PlanError, match="text has 3 weights for a batch of 2"):
        make(Modality("text", (1.0, 2.0, 3.0)))


def test_heun_costs_two_evaluations_a_step_but_for_the_last(make):
    assert make(TEXT, settings=Settings(steps=3, sampler="heun"))[1].evaluations == 5


def test_a_window_saves_the_rows_of_the_steps_outside_it(make):
    # Four steps lie at noise levels 1, 0.667, 0.334 and 0.001: progress 0, 0.333, 0.666, 0.999.
    late = Modality("text", 3.0, Window(0.5, 1.0))
    assert make(late, settings=Settings(steps=4))[1].rows == 1 + 1 + 2 + 2


def test_a_window_decides_what_is_seen_at_each_noise_level(shipped, encoded, noise):
    x = noise(1, 8, 16, 16)
    program = Program((Modality("style", 1.0, Window(0.0, 0.4)),))
    guided = GuidedModel(shipped.denoiser, program, encoded, encoded["text"].null)

    def denoised(row, sigma):
        velocity = shipped.denoiser(x, torch.tensor([1000 * sigma]), **row_inputs(row, encoded))
        return x - sigma * velocity

    torch.testing.assert_close(guided(x, 0.7), denoised(Row.of(["style"]), 0.7))
    torch.testing.assert_close(guided(x, 0.5), denoised(NULL, 0.5))


def test_an_input_of_one_sample_does_not_reach_the_others(make, encoded, noise):
    tokens = encoded["style"].tokens
    modalities = (TEXT, Modality("style", 2.0))
    given = {**encoded, "style": EncodedStream("style", torch.cat([tokens, tokens]))}
    other = {**encoded, "style": EncodedStream("style", torch.cat([tokens, noise(1, 16, 128)]))}
    before, after = (make(*modalities, inputs=i)[0] for i in (given, other))
    torch.testing.assert_close(after[0], before[0], rtol=0, atol=1e-6)
    assert (after[1] - before[1]).abs().max() > 0.01


def test_calls_that_are_split_to_save_memory_give_the_same_pictures(make, plain, monkeypatch):
    monkeypatch.setattr(module, "MOST_SAMPLES", 3)
    pictures, cost = make(TEXT)
    torch.testing.assert_close(pictures, plain[0], rtol=0, atol=1e-4)
    assert cost.calls == 2 * plain[1].calls


def test_a_step_that_raises_cancels_and_the_next_run_is_as_if_nothing_was(make, plain):
    def cancel(step):
        if step == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(TEXT, on_step=cancel)
    assert torch.equal(make(TEXT)[0], plain[0])


def test_every_step_is_told(make):
    told = []
    make(TEXT, on_step=told.append)
    assert told == [0, 1, 2]


def test_a_report_changes_nothing_and_tells_every_evaluation(make, plain):
    reports = []
    pictures, cost = make(TEXT, on_report=reports.append)
    assert torch.equal(pictures, plain[0])
    assert cost == plain[1]
    (report,) = reports
    assert (report.evaluations, report.rows) == (cost.evaluations, cost.rows)
    assert [s["progress"] for s in report.steps] == sorted(s["progress"] for s in report.steps)
    assert report.steps[0]["progress"] == 0
    assert [t["share"] for s in report.steps for t in s["terms"]] == [1.0] * 3
    assert report.information["text"] > 0


def test_the_report_measures_the_push_after_its_correction(shipped, encoded, noise):
    x, seen = noise(1, 8, 16, 16), {}
    for kind in ("none", "renorm"):
        program, trace = Program((Modality("text", 9.0),), correction=Correction(kind)), Trace()
        model = GuidedModel(
            shipped.denoiser, program, {"text": encoded["text"]}, encoded["text"].null, trace=trace
        )
        with torch.inference_mode():
            result = model(x, 0.8)
            row = GuidedModel(
                shipped.denoiser, Program((Modality("text", 1.0),)), {"text": encoded["text"]},
                encoded["text"].null,
            )(x, 0.8)  # fmt: skip
        seen[kind] = trace.steps()[0]["relative_push"]
        assert seen[kind] == pytest.approx(
            float((result - row).norm() / (x - row).norm()), rel=1e-3
        )
    assert seen["renorm"] < seen["none"]


def test_size_2_is_256_pixels(make):
    assert make(TEXT, settings=Settings(steps=1, size=2))[0].shape == (1, 3, 256, 256)


@pytest.mark.parametrize("seed", [0, 1234, 2**64 - 1])
def test_the_noise_is_what_the_global_generator_draws_for_the_seed(seed):
    found = initial_noise(Settings(seed=seed, batch=3, size=2))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        assert torch.equal(found, torch.randn(3, 8, 32, 32))


def test_drawing_noise_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    initial_noise(SETTINGS)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"steps": 0}, "steps is 0; it must be between 1 and 1000"),
        ({"batch": 0}, "batch is 0; it must be between 1 and 4096"),
        ({"size": 9}, "size is 9; it must be between 1 and 8"),
        ({"seed": -1}, r"seed is -1; it must be between 0 and 2\^64 - 1"),
        ({"seed": 2**64}, "seed is 18446744073709551616; it must be"),
        ({"sampler": "lms"}, "there is no sampler 'lms'"),
        ({"schedule": "cosine"}, "there is no schedule 'cosine'"),
    ],
)
def test_settings_that_cannot_be_are_refused_where_they_are_made(given, said):
    with pytest.raises(InputError, match=said):
        Settings(**given)


def test_two_prompts_and_a_null_text_of_their_own_are_generated_from(make, encoded, shipped):
    two = {**encoded, "text 2": encode_text(shipped.text, "on stripes")}
    pictures, cost = make(TEXT, Modality("text 2", 2.0), inputs=two)
    assert pictures.shape == (2, 3, 128, 128)
    assert cost.rows == 9


def test_a_run_from_a_latent_starts_at_their_mix_and_noise_alone_forgets_it(noise):
    latent, whole = noise(1, 8, 16, 16), Settings(steps=4, seed=3, batch=2)
    half = replace(whole, denoise=0.5)
    drawn, sigma = initial_noise(whole), 1 - 4 * 0.999 / 7  # the fifth of eight levels
    torch.testing.assert_close(noised(latent, half), sigma * drawn + (1 - sigma) * latent)
    assert torch.equal(noised(None, whole), drawn)
    assert torch.equal(noised(latent, whole), drawn)


def test_a_latent_that_is_missing_or_of_another_size_is_refused(noise):
    half = Settings(denoise=0.5, batch=2)
    with pytest.raises(InputError, match=r"denoise is 0\.5, but there is no latent to start from"):
        noised(None, half)
    for shape in ((1, 8, 8, 8), (3, 8, 16, 16)):
        with pytest.raises(InputError, match=r"start from is .*; needed \(2, 8, 16, 16\), or one"):
            noised(noise(*shape), half)
