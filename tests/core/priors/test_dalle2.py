"""LAION's network against its formula, written out in float64."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from mm_core.errors import WeightsError
from mm_core.priors.dalle2 import (
    OLDEST,
    RULES,
    SAVED_BY,
    Dalle2Network,
    Dalle2Sizes,
    bucket,
)
from mm_core.priors.prior import PriorText, join

ROUNDING = 256 * torch.finfo(torch.float32).eps  # scores of up to 16, three layers of two parts


def by_hand(net, x, t, text, without=False, era="1.15"):
    """The network of DALLE2-pytorch as plain arithmetic, in float64.

    era: 1.15, of version 1.15.6; 0.15 of 0.15.4; 0.20 of 0.20.1; 0.23 of 0.23.1; 0.26 of 0.26.2.
    The last three divide the logits by a number before the bias is added, and multiply the sum.
    """
    w = {n: v.double() for n, v in net.state_dict().items()}
    s, count = net.sizes, len(x)
    relaxed = {"0.20": 32**2, "0.23": 32**2, "0.26": 128}.get(era, 1)
    all_careful, last_careful = era in ("0.20", "0.23"), era != "0.15"

    def norm(h, name, careful=False):
        h = h / h.amax(-1, keepdim=True) if careful or all_careful else h
        h = h - h.mean(-1, keepdim=True)
        return h / (h.square().mean(-1, keepdim=True) + 1e-5).sqrt() * w[f"{name}.g"]

    def turn(h, freqs):
        """Numbers 2i and 2i + 1 of token p, turned by p times the i-th frequency."""
        out = h.clone()
        for p in range(h.shape[-2]):
            for i, f in enumerate(freqs):
                c, z = math.cos(p * f), math.sin(p * f)
                a, b = h[..., p, 2 * i], h[..., p, 2 * i + 1]
                out[..., p, 2 * i], out[..., p, 2 * i + 1] = a * c - b * z, a * z + b * c
        return out

    hidden = torch.zeros(count, s.tokens + 1, dtype=torch.bool)
    if era in ("0.15", "0.20"):  # padding is masked, and to drop a text is to mask it
        words = text.tokens.double()
        hidden[:, :-1] = ~text.mask | without
        hidden[:, -1] = without
    else:
        null = w["null_text_encodings" if era == "1.15" else "null_text_embed"]
        words = torch.where(text.mask[..., None], text.tokens.double(), null)
    parts = [words, text.pooled.double()[:, None], x.double()[:, None]]
    if without and era == "1.15":
        parts = [
            w["null_text_encodings"].expand(count, -1, -1),
            w["null_text_embeds"].expand(count, -1, -1),
            w["null_image_embed"][None].expand(count, -1, -1),
        ]
    time = w["to_time_embeds.0.weight"][t][:, None]
    query = w["learned_query"].expand(count, 1, -1)
    h = torch.cat([parts[0], parts[1], time, parts[2], query], 1)
    n = h.shape[1]
    c = "causal_transformer."
    table = w[f"{c}rel_pos_bias.relative_attention_bias.weight"]
    bias = torch.full((s.heads, n, n + 1), -1e300, dtype=torch.float64)
    for i in range(n):
        for j in range(i + 2):
            back = max(i - j, 0)
            far = 16 + int(math.log(max(back, 1) / 16) / math.log(8) * 16)
            bias[:, i, j] = table[back if back < 16 else min(far, 31)]
    for k in range(s.layers):
        a, f = f"{c}layers.{k}.0.", f"{c}layers.{k}.1."
        given = norm(h, f"{a}norm")
        q = (given @ w[f"{a}to_q.weight"].T).view(count, n, s.heads, s.head).transpose(1, 2)
        key, value = (given @ w[f"{a}to_kv.weight"].T).chunk(2, -1)
        freqs = w[f"{a}rotary_emb.freqs"].tolist()
        q, key = turn(q, freqs), turn(key, freqs)
        null = w[f"{a}null_kv"]
        key = torch.cat([null[0].expand(count, 1, -1), key], 1)
        value = torch.cat([null[1].expand(count, 1, -1), value], 1)
        if era == "1.15":
            logits = 16 * F.normalize(q, dim=-1) @ F.normalize(key, dim=-1)[:, None].mT
        else:
            logits = q @ key[:, None].mT / s.head**0.5 / relaxed
        logits = relaxed * (logits + bias)
        logits[..., 1 : s.tokens + 2].masked_fill_(hidden[:, None, None], -math.inf)
        weight = logits.softmax(-1)
        out = (weight @ value[:, None]).transpose(1, 2).reshape(count, n, -1)
        h = h + norm(out @ w[f"{a}to_out.0.weight"].T, f"{a}to_out.1")
        value, gate = (norm(h, f"{f}0") @ w[f"{f}1.weight"].T).chunk(2, -1)
        h = h + norm(value * gate * gate.sigmoid(), f"{f}3") @ w[f"{f}5.weight"].T
    return (norm(h, f"{c}norm", careful=last_careful) @ w[f"{c}project_out.weight"].T)[:, -1]


@pytest.mark.parametrize("without", [False, True])
def test_the_network_is_its_formula(laion, texts, noise, without):
    net, x, t, text = laion.network, noise(3, 24), torch.tensor([0, 17, 49]), texts(3)
    found = net(x, t, text, without).double()
    torch.testing.assert_close(found, by_hand(net, x, t, text, without), rtol=0, atol=ROUNDING)


ERAS = {
    "0.15": ("none", OLDEST),
    "0.20": ("none", "0.16.2 to 0.23.2"),
    "0.23": ("padding", "0.16.2 to 0.23.2"),
    "0.26": ("padding", "0.23.3 to 1.4.2"),
}


def older(laion, stir, era):
    """A network as that version saved it, with random weights."""
    nulls, version = ERAS[era]
    return stir(Dalle2Network(replace(laion.network.sizes, nulls=nulls, rule=RULES[version])))


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("without", [False, True])
def test_older_networks_are_their_formulas(laion, stir, texts, noise, era, without):
    """With texts read at once and before. What 0.23 and 0.26 drop they use all the same."""
    net, text = older(laion, stir, era), texts(3)
    x, t = noise(3, 24), torch.tensor([0, 17, 49])
    wanted = by_hand(net, x, t, text, without, era)
    for given in (text, net.read(text, without)):
        found = net(x, t, given, without).double()
        torch.testing.assert_close(found, wanted, rtol=0, atol=ROUNDING)
    dropped = by_hand(net, x, t, text, not without, era)
    assert torch.equal(wanted, dropped) == (era in ("0.23", "0.26"))


@pytest.mark.parametrize("era", ["0.15", "0.20"])
def test_padding_that_is_not_seen_may_hold_anything(laion, stir, texts, noise, era):
    net, text, x, t = older(laion, stir, era), texts(3), noise(3, 24), torch.tensor([0, 17, 49])
    wanted = net(x, t, text)
    for held in (0.0, math.nan):
        other = text.tokens.where(text.mask[..., None], held)
        other = PriorText(text.pooled, other, text.mask)
        assert torch.equal(net(x, t, other), wanted)
        assert torch.equal(net(x, t, net.read(other)), net(x, t, net.read(text)))


def test_the_rules_of_versions_differ_by_more_than_rounding(laion, stir, texts, noise):
    """Or it would not matter which a file is of."""
    net, text, x, t = older(laion, stir, "0.15"), texts(3), noise(3, 24), torch.tensor([0, 17, 49])
    answers = []
    for version in SAVED_BY["none"][1]:
        other = Dalle2Network(replace(net.sizes, rule=RULES[version])).eval()
        other.load_state_dict(net.state_dict())
        answers.append(other(x, t, text))
    for k, one in enumerate(answers):
        for two in answers[:k]:
            assert (one - two).norm() > 0.1 * one.norm()


@pytest.mark.parametrize("without", [False, True])
def test_a_text_read_once_gives_what_it_gives_each_time(laion, texts, noise, without):
    """The formula in float64 knows nothing of a prefix."""
    net, text = laion.network, texts(3)
    prefix = net.read(net.nothing(3) if without else text)
    for moment in (49, 17, 0):
        x, t = noise(3, 24), torch.full((3,), moment)
        found = net(x, t, prefix, without)
        torch.testing.assert_close(found, net(x, t, text, without), rtol=0, atol=ROUNDING)
        expected = by_hand(net, x, t, text, without)
        torch.testing.assert_close(found.double(), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16], ids=str)
def test_a_prefix_is_as_near_the_formula_as_the_whole_in_half_precision(laion, texts, noise, kind):
    """Root mean square over 64 embeddings. A third: two kinds of rounding may differ so much."""
    net, text, x = laion.network.to(kind), texts(64), noise(64, 24).to(kind)
    text = PriorText(text.pooled.to(kind), text.tokens.to(kind), text.mask)
    t = torch.full((64,), 17)
    expected = by_hand(net, x, t, text)
    whole = (net(x, t, text).double() - expected).square().mean().sqrt()
    found = (net(x, t, net.read(text)).double() - expected).square().mean().sqrt()
    assert found <= 4 / 3 * whole


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_a_text_is_read_as_it_is_alone_whatever_is_read_with_it(laion, texts, kind):
    """Not even rounding differs, and what is no number stays in its own text."""
    net, nan = laion.network.to(kind), texts(1, seed=2)
    nan = PriorText(nan.pooled * float("nan"), nan.tokens, nan.mask)
    one, other = texts(1), texts(1, seed=1)
    alone, together = net.read(one), net.read(join(nan, other, one, nan, one))
    new = torch.ones(1, 1, 1, 16, dtype=kind)
    for a, b in zip(alone.layers, together.layers, strict=True):
        expected = a.extended(new, new)
        for found, known in zip(
            b.extended(*[new.expand(5, -1, -1, -1)] * 2), expected, strict=True
        ):
            assert torch.equal(found[2], known[0])
            assert torch.equal(found[4], known[0])
            assert found[1].isfinite().all()


def test_what_is_no_number_in_one_text_stays_in_its_own_rows(laion, texts, noise):
    net, text, x, t = laion.network, texts(4), noise(4, 24), torch.full((4,), 17)
    known = net(x, t, net.read(text))
    for row in range(4):
        pooled = text.pooled.clone()
        pooled[row] = float("nan")
        found = net(x, t, net.read(PriorText(pooled, text.tokens, text.mask)))
        assert found[row].isnan().all()
        others = [k for k in range(4) if k != row]
        assert torch.equal(found[others], known[others])


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("without", [False, True])
def test_what_is_given_is_cast_to_the_weights_precision(laion, texts, noise, kind, without):
    net, text, x, t = laion.network.to(kind), texts(3), noise(3, 24), torch.tensor([0, 17, 49])
    expected = by_hand(net, x, t, text, without)
    for given in (text, net.read(net.nothing(3) if without else text)):
        found = net(x, t, given, without)
        assert found.dtype == kind
        torch.testing.assert_close(found.double(), expected, rtol=0.1, atol=0.1)


def test_a_step_runs_three_tokens_a_row_and_keeps_one_key_for_all_heads(laion, texts, noise):
    net, seen = laion.network, []
    prefix = net.read(texts(1).repeated(4))
    kept = 1 + 7 + 1 + 1  # null, words, sentence, zeros
    assert all(layer.keys.shape == (kept, 1, 16) for layer in prefix.layers)
    for layer in net.causal_transformer.layers:
        layer[0].register_forward_pre_hook(lambda m, given: seen.append(tuple(given[0].shape)))
    net(noise(4, 24), torch.full((4,), 9), prefix)
    assert seen == [(4, 3, 24)] * 2


def test_places_have_buckets_of_their_own_then_wider_ones():
    """Raffel et al. 2019, with 32 buckets up to a distance of 128."""
    found = bucket(torch.tensor([[-3, 0, 1, 15, 16, 17, 30, 64, 127, 128, 500]]))[0]
    far = [16 + int(math.log(d / 16) / math.log(8) * 16) for d in (16, 17, 30, 64, 127)]
    assert found.tolist() == [0, 0, 1, 15, *far, 31, 31]


def test_sizes_are_read_off_the_shapes(laion):
    shapes = {n: tuple(t.shape) for n, t in laion.network.state_dict().items()}
    assert Dalle2Sizes.of(shapes, "a") == laion.network.sizes


@pytest.mark.parametrize("gone", ["rotary_emb.freqs", "null_kv", "1.5.weight"])
def test_other_networks_of_the_package_are_refused(laion, gone):
    shapes = {n: tuple(t.shape) for n, t in laion.network.state_dict().items()}
    shapes = {n: s for n, s in shapes.items() if not n.endswith(gone)}
    with pytest.raises(WeightsError, match="a is a LAION prior without 'causal_transformer"):
        Dalle2Sizes.of(shapes, "a")


FIRST = "causal_transformer.layers.0."


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({f"{FIRST}0.null_kv": (2, 0)}, r"null_kv has the shape \(2, 0\), needed 2 dimensions"),
        ({f"{FIRST}0.null_kv": (2,)}, r"null_kv has the shape \(2,\)"),
        ({"learned_query": ()}, r"learned_query has the shape \(\), needed 1 dim"),
        ({"to_time_embeds.0.weight": (0, 24)}, r"to_time_embeds\.0\.weight has the shape \(0, 24"),
        ({"causal_transformer.layers.100000.0.null_kv": (2, 16)}, r"layers \[0, 1, 100000\]"),
        ({f"{FIRST}0.null_kv": (2, 7)}, "48 numbers for heads of 7, 16 of them turned"),
        ({f"{FIRST}0.rotary_emb.freqs": (9,)}, "48 numbers for heads of 16, 18 of them turned"),
        ({"learned_query": (2**40,)}, "width 1099511627776 that it claims"),
        (
            {f"causal_transformer.layers.{k}.0.null_kv": (1, 1) for k in range(2, 5000)},
            "layers 5000 that it claims",
        ),
    ],
)
def test_shapes_that_no_network_has_are_refused_in_one_line(laion, changed, said):
    shapes = {n: tuple(t.shape) for n, t in laion.network.state_dict().items()}
    shapes |= changed
    with pytest.raises(WeightsError, match=said) as e:
        Dalle2Sizes.of(shapes, "a.safetensors")
    assert str(e.value).startswith("a.safetensors ")
    assert "\n" not in str(e.value)
