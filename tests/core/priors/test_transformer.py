"""The network against its formula, written out in float64."""

import math

import pytest
import torch
import torch.nn.functional as F

from mm_core.errors import InputError
from mm_core.priors.prior import PriorText, join
from mm_core.priors.transformer import HIDDEN, PriorTransformer, Sizes, causal_bias, waves


def by_hand(net, x, t, text):
    """Section 2.2 of the DALL-E 2 paper in the details of the published priors, in float64."""
    w = {n: v.double() for n, v in net.state_dict().items()}
    heads, count = net.sizes.heads, len(x)

    def linear(h, name):
        return F.linear(h, w[f"{name}.weight"], w[f"{name}.bias"])

    def norm(h, name):
        h = (h - h.mean(-1, keepdim=True)) / (h.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()
        return h * w[f"{name}.weight"] + w[f"{name}.bias"]

    width = net.sizes.width
    angle = torch.tensor(
        [[float(s) * 10000 ** (-i / (width // 2)) for i in range(width // 2)] for s in t],
        dtype=torch.float64,
    )
    time = linear(torch.cat([angle.cos(), angle.sin()], 1), "time_embedding.linear_1")
    time = linear(time * time.sigmoid(), "time_embedding.linear_2")
    h = torch.cat(
        [
            linear(text.tokens.double(), "encoder_hidden_states_proj"),
            linear(text.pooled.double(), "embedding_proj")[:, None],
            time[:, None],
            linear(x.double(), "proj_in")[:, None],
            w["prd_embedding"].expand(count, -1, -1),
        ],
        1,
    )
    h = h + w["positional_embedding"]
    n = h.shape[1]
    real = F.pad(text.mask, (0, 4), value=True)
    bias = torch.zeros(count, n, n, dtype=torch.float64)
    for b in range(count):
        for i in range(n):
            for j in range(n):
                bias[b, i, j] = -10000.0 * ((j > i) + (not real[b, j]))
    for k in range(net.sizes.layers):
        p = f"transformer_blocks.{k}."
        a = norm(h, f"{p}norm1")
        q, key, v = (
            linear(a, f"{p}attn1.to_{c}").view(count, n, heads, -1).transpose(1, 2) for c in "qkv"
        )
        weight = (q @ key.mT / math.sqrt(width // heads) + bias[:, None]).softmax(-1)
        h = h + linear((weight @ v).transpose(1, 2).reshape(count, n, -1), f"{p}attn1.to_out.0")
        f = linear(norm(h, f"{p}norm3"), f"{p}ff.net.0.proj")
        f = f * 0.5 * (1 + torch.erf(f / math.sqrt(2)))
        h = h + linear(f, f"{p}ff.net.2")
    return linear(norm(h, "norm_out")[:, -1], "proj_to_clip_embeddings")


def test_the_network_is_its_formula(network, texts, noise):
    x, t, text = noise(3, 24), torch.tensor([0.0, 417.0, 999.0]), texts(3)
    expected = by_hand(network, x, t, text)
    torch.testing.assert_close(network(x, t, text).double(), expected, rtol=0, atol=2e-5)


def test_the_mask_is_causal_and_hides_padding_twice():
    bias = causal_bias(torch.tensor([[True, False, True]]), 3)[0, 0]
    expected = torch.tensor([[0, 2, 1], [0, 1, 1], [0, 1, 0]]) * HIDDEN
    assert torch.equal(bias, expected)


def test_every_input_is_read(network, texts, noise):
    x, t, text = noise(2, 24), torch.tensor([10.0, 20.0]), texts(2)
    base = network(x, t, text)
    others = [
        network(x + 1, t, text),
        network(x, t + 1, text),
        network(x, t, PriorText(text.pooled + 1, text.tokens, text.mask)),
        network(x, t, PriorText(text.pooled, text.tokens + noise(2, 7, 24), text.mask)),
        network(x, t, PriorText(text.pooled, text.tokens, ~text.mask)),
    ]
    assert all((o - base).abs().max() > 1e-3 for o in others)


def test_the_bias_of_the_last_tokens_is_that_of_all():
    real = torch.tensor([[True, False, True, True]])
    assert torch.equal(causal_bias(real, 2), causal_bias(real, 4)[:, :, 2:])
    assert (causal_bias(real, 1)[0, 0, 0] == 0).tolist() == [True, False, True, True]


MASKS = {
    "padded ends": [[1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0, 0]],
    "no padding": [[1] * 7] * 3,
    "no words": [[0] * 7] * 3,
    "one without words": [[1, 1, 1, 0, 0, 0, 0], [0] * 7, [1] * 7],
    "holes and padded starts": [
        [0, 0, 1, 0, 1, 0, 0],
        [0, 1, 1, 1, 1, 1, 1],
        [1, 0, 0, 0, 0, 0, 1],
    ],
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_a_text_read_once_gives_what_it_gives_each_time(network, texts, noise, mask):
    """The formula in float64 knows nothing of a prefix."""
    text = texts(3)
    text = PriorText(text.pooled, text.tokens, torch.tensor(mask, dtype=torch.bool))
    prefix = network.read(text)
    for t in (999.0, 417.0, 0.0):
        x, times = noise(3, 24), torch.full((3,), t)
        found = network(x, times, prefix)
        torch.testing.assert_close(found, network(x, times, text), rtol=0, atol=1e-5)
        expected = by_hand(network, x, times, text)
        torch.testing.assert_close(found.double(), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16], ids=str)
def test_a_prefix_is_as_near_the_formula_as_the_whole_in_half_precision(
    network, texts, noise, kind
):
    """Root mean square over 64 embeddings. A third: two kinds of rounding may differ so much."""
    net, text, x, t = network.to(kind), texts(64), noise(64, 24), torch.full((64,), 417.0)
    assert net.read(text).layers[0].keys.dtype == kind
    expected = by_hand(net, x, t, text)
    whole = (net(x, t, text).double() - expected).square().mean().sqrt()
    found = (net(x, t, net.read(text)).double() - expected).square().mean().sqrt()
    assert found <= 4 / 3 * whole


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_a_text_is_read_as_it_is_alone_whatever_is_read_with_it(network, texts, kind):
    """Not even rounding differs, and what is no number stays in its own text."""
    net, nan = network.to(kind), texts(1, seed=2)
    nan = PriorText(nan.pooled * float("nan"), nan.tokens, nan.mask)
    one, long = texts(1), texts(1, seed=1)
    long = PriorText(long.pooled, long.tokens, torch.ones_like(long.mask))
    alone, together = net.read(one), net.read(join(nan, long, one, nan, one))
    new = torch.ones(1, 4, 1, 16, dtype=kind)
    for a, b in zip(alone.layers, together.layers, strict=True):
        expected = a.extended(new, new)
        for found, known in zip(
            b.extended(*[new.expand(5, -1, -1, -1)] * 2), expected, strict=True
        ):
            assert torch.equal(found[2], known[0])
            assert torch.equal(found[4], known[0])
            assert found[1].isfinite().all()


def test_what_is_no_number_in_one_text_stays_in_its_own_rows(network, texts, noise):
    text, x, t = texts(4), noise(4, 24), torch.full((4,), 417.0)
    known = network(x, t, network.read(text))
    for row in range(4):
        pooled = text.pooled.clone()
        pooled[row] = float("nan")
        found = network(x, t, network.read(PriorText(pooled, text.tokens, text.mask)))
        assert found[row].isnan().all()
        others = [k for k in range(4) if k != row]
        assert torch.equal(found[others], known[others])


def test_padding_that_is_no_number_is_not_read(network, texts, noise):
    text, x, t = texts(3), noise(3, 24), torch.full((3,), 417.0)
    tokens = text.tokens.where(text.mask[..., None], float("nan"))
    spoiled = PriorText(text.pooled, tokens, text.mask)
    assert tokens.isnan().any()
    assert torch.equal(network(x, t, spoiled), network(x, t, text))
    assert torch.equal(network(x, t, network.read(spoiled)), network(x, t, network.read(text)))


def test_a_prefix_keeps_no_padding_and_no_text_twice(network, texts):
    short, long = (
        PriorText(t.pooled, t.tokens, torch.arange(7)[None] < n)
        for t, n in ((texts(1), 2), (texts(1, seed=1), 7))
    )
    prefix = network.read(join(short.repeated(5), long.repeated(5)))
    assert len(prefix) == 10
    assert all(layer.keys.shape == (3 + 8 + 1, 4, 16) for layer in prefix.layers)  # 1: zeros


def test_a_step_runs_three_tokens_a_row_and_leaves_the_prefix_as_it_was(network, texts, noise):
    prefix, seen = network.read(texts(2)), []
    before = [(layer.keys.clone(), layer.values.clone()) for layer in prefix.layers]
    for block in network.transformer_blocks:
        block.register_forward_pre_hook(lambda m, given: seen.append(tuple(given[0].shape)))
    network(noise(2, 24), torch.full((2,), 9.0), prefix)
    assert seen == [(2, 3, 64)] * 2
    for layer, (keys, values) in zip(prefix.layers, before, strict=True):
        assert torch.equal(layer.keys, keys)
        assert torch.equal(layer.values, values)


def test_waves_are_cosines_then_sines():
    found = waves(torch.tensor([3.0]), 4)
    expected = [math.cos(3), math.cos(0.03), math.sin(3), math.sin(0.03)]
    torch.testing.assert_close(found[0], torch.tensor(expected))


def test_statistics_take_embeddings_there_and_back(network, noise):
    network.clip_mean.copy_(noise(1, 24))
    vectors = noise(5, 24)
    torch.testing.assert_close(network.denormalised(network.normalised(vectors)), vectors)
    many = network.denormalised(noise(20_000, 24))
    length = many.square().sum(1).mean().sqrt()
    assert network.typical_norm() == pytest.approx(float(length), rel=0.01)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"heads": 5}, "5 heads cannot share the width 64"), ({"layers": 0}, "layers is 0")],
)
def test_sizes_that_cannot_be_are_refused(changed, said):
    with pytest.raises(InputError, match=said):
        Sizes(**{"dim": 8, "width": 64, "heads": 4, "layers": 1, "tokens": 7} | changed)


def test_the_published_network_has_its_published_number_of_parameters():
    with torch.device("meta"):
        counts = [
            sum(p.numel() for p in PriorTransformer(Sizes(d, 2048, 32, 20)).parameters())
            for d in (768, 1280)
        ]
    assert [round(c / 1e6, 1) for c in counts] == [1022.0, 1026.2]
