"""A frozen trajectory of a published prior's sampler, and guidance."""

import json
from functools import partial
from pathlib import Path

import pytest
import torch

from mm_core.errors import InputError
from mm_core.priors.diffusion import DiffusionPrior
from mm_core.priors.prior import PriorText, Request, join
from mm_core.priors.space import Space
from mm_core.priors.transformer import PriorTransformer, Sizes
from mm_core.priors.unclip import cosine_table, solve

FILE = Path(__file__).parents[2] / "golden" / "prior_trajectory.json"
GOLDEN = json.loads(FILE.read_text())
CONFIG = GOLDEN["config"]
DIM, WORDS = CONFIG["embedding_dim"], CONFIG["num_embeddings"]


def in_the_reference_s_order(net):
    """Names of the parameters, statistics included, in the order in which weights were drawn."""
    names = list(net.state_dict())
    first = ["positional_embedding", "prd_embedding", "clip_mean", "clip_std"]
    return first + [n for n in names if n not in first]


@pytest.fixture(scope="module")
def golden():
    """The prior of the trajectory: weights from seed 0, drawn after a constructor's."""
    state = torch.random.get_rng_state()
    torch.manual_seed(0)
    width = CONFIG["num_attention_heads"] * CONFIG["attention_head_dim"]
    sizes = Sizes(DIM, width, CONFIG["num_attention_heads"], CONFIG["num_layers"], WORDS)
    net = PriorTransformer(sizes)
    own = net.state_dict()
    raw = ("clip_mean", "positional_embedding", "prd_embedding")
    for name in in_the_reference_s_order(net):
        value = own[name]
        if name == "clip_std":
            value.copy_(0.5 + torch.rand_like(value))
        elif name.endswith(("norm1.weight", "norm3.weight", "norm_out.weight")):
            value.copy_(1 + 0.1 * torch.randn_like(value))
        elif value.ndim >= 2 and name not in raw:
            value.copy_(torch.randn_like(value) * value.shape[-1] ** -0.5)
        else:
            value.copy_(torch.randn_like(value) * 0.2)
    torch.random.set_rng_state(state)
    return net.eval()


@pytest.fixture(scope="module")
def given():
    """Two texts, and what stands for none."""
    rng = torch.Generator().manual_seed(1234)
    pooled, tokens = torch.randn(2, DIM, generator=rng), torch.randn(2, WORDS, DIM, generator=rng)
    empty, nothing = torch.randn(2, DIM, generator=rng), torch.randn(2, WORDS, DIM, generator=rng)
    mask = torch.arange(WORDS)[None] < torch.tensor([[4], [7]])
    short = (torch.arange(WORDS)[None] < 2).expand(2, -1)
    return PriorText(pooled, tokens, mask), PriorText(empty, nothing, short)


@pytest.mark.parametrize("run", GOLDEN["runs"], ids=lambda r: f"{r['steps']}-{r['cfg']}")
def test_the_frozen_trajectory_is_reproduced(golden, given, run):
    text, negative = given
    start = torch.randn(2, DIM, generator=torch.Generator().manual_seed(7))
    rng = torch.Generator().manual_seed(99)
    waiting = [start]

    def draw():
        return waiting.pop() if waiting else torch.randn(2, DIM, generator=rng)

    prior = DiffusionPrior(golden, Space("a small CLIP", DIM))
    request = Request((0, 0), run["steps"], run["cfg"])
    predict, seen = prior.predict(text, request, negative), []

    def watched(x, t):
        seen.append((t, x.clone()))
        return predict(x, t)

    with torch.inference_mode():
        final = solve(watched, draw, cosine_table(), run["steps"], limit=run["clip_range"])
    assert [t for t, _ in seen] == run["timesteps"]
    path = [x for _, x in seen[1:]] + [final]
    for x, expected in zip(path, run["trajectory"] or [], strict=False):
        assert float(x.norm()) == pytest.approx(expected["norm"], abs=1e-4)
        torch.testing.assert_close(
            x[0, :4], torch.tensor(expected["x_row0_first4"]), rtol=0, atol=1e-4
        )
    last = golden.denormalised(final)[0, :6]
    torch.testing.assert_close(last, torch.tensor(run["final_row0_first6"]), rtol=0, atol=1e-4)


def test_guidance_is_on_the_predicted_embedding(diffusion, texts, noise):
    text, negative = texts(2), texts(2, seed=5)
    x = noise(2, 24)
    time = torch.full((2,), 500.0)
    with torch.no_grad():
        given, against = (diffusion.network(x, time, side) for side in (text, negative))
        found = diffusion.predict(text, Request((0, 1), guidance=3.0), negative)(x, 500)
    torch.testing.assert_close(found, against + 3 * (given - against), rtol=1e-4, atol=1e-5)


def test_without_guidance_there_is_one_row_for_each_image(diffusion, texts):
    rows = []
    diffusion.network.register_forward_pre_hook(lambda m, given: rows.append(len(given[0])))
    diffusion.sample(texts(2), Request((1, 2), 3, 1.0))
    diffusion.sample(texts(2), Request((1, 2), 3, 4.0), texts(1, seed=2))
    assert rows == [2, 2, 2, 4, 4, 4]


@pytest.mark.parametrize(("steps", "guidance"), [(25, 4.0), (25, 1.0), (5, 2.0)])
def test_whole_trajectories_are_those_of_a_text_read_at_every_step(
    diffusion, texts, steps, guidance
):
    """Guidance moves numbers of about 10; the tolerance is that of the frozen trajectory."""
    text, negative = texts(3), texts(1, seed=5).repeated(3)
    both = join(negative, text)

    def read_anew(x, t):
        out = diffusion.network(torch.cat([x, x]), torch.full((6,), float(t)), both)
        without, given = out.chunk(2)
        return without + guidance * (given - without)

    paths = []
    for predict in (read_anew, diffusion.predict(text, Request((1, 2, 3), 5, guidance), negative)):
        rng, path = torch.Generator().manual_seed(8), []

        def watched(x, t, predict=predict, path=path):
            path.append(x)
            return predict(x, t)

        with torch.inference_mode():
            draw = partial(torch.randn, 3, 24, generator=rng)
            path.append(solve(watched, draw, diffusion.table, steps, limit=10.0))
        paths.append(torch.stack(path))
    torch.testing.assert_close(paths[1], paths[0], rtol=0, atol=1e-4)


def test_texts_are_read_once_for_all_steps(diffusion, texts):
    seen = []
    diffusion.network.transformer_blocks[0].register_forward_pre_hook(
        lambda m, given: seen.append(tuple(given[0].shape[:2]))
    )
    text = PriorText(texts(1).pooled, texts(1).tokens, torch.arange(7)[None] < 4)
    diffusion.sample(text, Request((1, 2, 3), 4), text)
    assert seen == [(1, 5), *[(6, 3)] * 4]


def test_runs_that_take_turns_on_one_prior_do_not_influence_each_other(diffusion, texts, noise):
    asked, negative = Request((1, 2), 5, 3.0), texts(1, seed=9)
    xs = [(noise(2, 24), t) for t in (999, 500, 0)]
    with torch.no_grad():
        alone = []
        for seed in (0, 4):
            predict = diffusion.predict(texts(2, seed=seed), asked, negative)
            alone.append([predict(x, t) for x, t in xs])
        first, second = (diffusion.predict(texts(2, seed=s), asked, negative) for s in (0, 4))
        turns = [(first(x, t), second(x, t)) for x, t in xs]
    assert all(torch.equal(a, b) for a, (b, _) in zip(alone[0], turns, strict=True))
    assert all(torch.equal(a, b) for a, (_, b) in zip(alone[1], turns, strict=True))
    assert not torch.equal(alone[0][0], alone[1][0])


def test_guidance_without_a_negative_text_is_refused(diffusion, texts):
    with pytest.raises(InputError, match='needs a negative text for guidance 4; encode ""'):
        diffusion.sample(texts(1), Request((1,)))


def test_what_overflows_is_refused(diffusion, texts):
    broken = diffusion.network.proj_to_clip_embeddings
    broken.bias.data[0] = float("nan")
    with pytest.raises(InputError, match="overflowed at guidance 2; lower it"):
        diffusion.sample(texts(1), Request((1,), guidance=2.0), texts(1))


def test_embeddings_have_the_encoder_s_scale(diffusion, texts):
    at_once = diffusion.sample(texts(1), Request((1,), 3, 1.0)).vectors
    diffusion.network.clip_mean.add_(100)
    torch.testing.assert_close(
        diffusion.sample(texts(1), Request((1,), 3, 1.0)).vectors, at_once + 100
    )


def test_ddim_draws_no_noise_but_the_start(diffusion, texts):
    both = join(texts(1), texts(1))
    asked = Request((4, 4), 4, 1.0, "ddim")
    found = diffusion.sample(both, asked).vectors
    torch.testing.assert_close(found[0], found[1])


def test_the_mean_is_the_network_at_the_last_timestep_guided_once(diffusion, texts):
    """Whatever the steps; written out here without the sampler."""
    text, negative, calls = texts(1), texts(1, seed=5), []
    hook = diffusion.network.register_forward_pre_hook(lambda m, given: calls.append(given[1]))
    found = [
        diffusion.sample(text, Request((3,), n, 2.0, "mean"), negative).vectors for n in (2, 50)
    ]
    hook.remove()
    assert torch.equal(found[0], found[1])
    assert [t.tolist() for t in calls] == [[999.0, 999.0]] * 2
    x, last = torch.randn(1, 24, generator=torch.Generator().manual_seed(3)), torch.tensor([999.0])
    with torch.no_grad():
        given, against = (diffusion.network(x, last, side) for side in (text, negative))
        expected = diffusion.network.denormalised((2 * given - against).clamp(-10, 10))
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)
