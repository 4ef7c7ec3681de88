"""The promises that every kind of block makes, and the table of kinds."""

from dataclasses import replace
from types import ModuleType

import pytest
import torch

from mm_core.errors import InputError
from mm_core.fusion.average import average
from mm_core.fusion.concat import concat
from mm_core.fusion.kinds import KINDS, build, kind_of
from mm_core.types import ModalityEmbedding

SMALL = {
    "concat": {},
    "gated": {"hidden": 6},
    "mutual": {"layers": 2, "heads": 2},
    "flamingo": {"layers": 2, "heads": 2},
    "film": {"hidden": 6},
    "adaln": {"hidden": 6},
    "resampler": {"latents": 3, "layers": 2, "heads": 2, "frames": 2},
    "joint": {"space": 8, "latents": 2, "heads": 2},
    "congruence": {"space": 8, "latents": 2, "heads": 2, "strength": 2.0, "expected": 0.9},
}
VARIANTS = {
    **{kind: (kind, settings) for kind, settings in SMALL.items()},
    "gated by token": ("gated", {"hidden": 6, "per_token": True}),
    "flamingo resampled": ("flamingo", {"heads": 2, "latents": 3}),
    "flamingo interleaved": ("flamingo", {"heads": 2, "interleaved": True}),
    "congruence of equals": ("congruence", {**SMALL["congruence"], "trust_base": False}),
}
each_variant = pytest.mark.parametrize(("kind", "settings"), VARIANTS.values(), ids=VARIANTS)


@pytest.fixture
def given(three, settings):
    """Text first; last where the order is that of reading, so that there is something to hear."""
    return [*three[1:], three[0]] if settings.get("interleaved") else three


def the_base(inputs):
    inputs = [e for e in inputs if e.modality == "text"]
    return inputs[0].tokens.masked_fill(~inputs[0].mask[..., None], 0)


def means(inputs):
    sums = [e.tokens.masked_fill(~e.mask[..., None], 0).sum(1) for e in inputs]
    return [s / e.mask.sum(1, keepdim=True).clamp(min=1) for s, e in zip(sums, inputs, strict=True)]


def mean_of_means(inputs):
    there = torch.stack([e.mask.any(1) for e in inputs]).sum(0)
    return (torch.stack(means(inputs)).sum(0) / there[:, None])[:, None].expand(-1, 3, -1)


def directions(inputs):
    return torch.stack([torch.nn.functional.normalize(m, dim=-1) for m in means(inputs)], 1)


NEUTRAL = {
    "concat": lambda e: concat([e[0], e[2], e[1]]).embedding.tokens,
    "gated": lambda e: average([e[0], e[2], e[1]]).embedding.tokens,
    "mutual": lambda e: concat([e[0], e[2], e[1]]).embedding.tokens,
    "flamingo": the_base,
    "film": the_base,
    "adaln": the_base,
    "resampler": lambda e: mean_of_means([e[0], e[2], e[1]]),
    "joint": lambda e: directions([e[0], e[2], e[1]]),
    "congruence": lambda e: concat([e[0], e[2], e[1]]).embedding.tokens,
}


@each_variant
def test_a_new_block_is_neutral_bit_for_bit(given, make, kind, settings):
    settings = {**settings, "strength": 0.0} if kind == "congruence" else settings
    found = make(kind, **settings)(given).embedding
    assert torch.equal(found.tokens, NEUTRAL[kind](given))


@each_variant
def test_a_stirred_block_is_not_neutral(given, make, stirred, kind, settings):
    found = stirred(make(kind, **settings))(given).embedding
    assert (found.tokens - NEUTRAL[kind](given)).abs().max() > 1e-3


@each_variant
@pytest.mark.parametrize("junk", [7.0, torch.nan, torch.inf], ids=str)
def test_padding_is_not_heard(given, make, stirred, kind, settings, junk):
    block = stirred(make(kind, **settings))
    said = block(given)
    dirty = [replace(e, tokens=e.tokens.masked_fill(~e.mask[..., None], junk)) for e in given]
    found = block(dirty)
    assert torch.equal(found.embedding.tokens, said.embedding.tokens)
    for name, share in said.shares.items():
        assert torch.equal(found.shares[name], share)


@each_variant
def test_more_padding_changes_nothing(given, make, stirred, real, kind, settings):
    block = stirred(make(kind, **settings))
    longer = [
        ModalityEmbedding(
            e.modality,
            torch.cat([e.tokens, torch.ones(2, 3, 8)], 1),
            torch.cat([e.mask, torch.zeros(2, 3, dtype=torch.bool)], 1),
        )
        for e in given
    ]
    said, found = block(given).embedding, block(longer).embedding
    for k in range(2):
        torch.testing.assert_close(real(found, k), real(said, k))


@each_variant
@pytest.mark.parametrize("gone", ["text", "style", "audio"])
def test_an_input_that_is_all_padding_is_one_that_is_not_given(
    given, make, stirred, real, kind, settings, gone
):
    block = stirred(make(kind, **settings))
    left = [e for e in given if e.modality != gone]
    blank = [replace(e, mask=e.mask & (e.modality != gone)) for e in given]
    said, found = block(left), block(blank)
    for k in range(2):
        torch.testing.assert_close(real(found.embedding, k), real(said.embedding, k))
    for name, share in said.shares.items():
        torch.testing.assert_close(found.shares[name], share)
    assert not found.shares.get(gone, torch.zeros(1)).any()


@each_variant
@pytest.mark.parametrize("names", ["text", "style", "style audio", "text audio"])
def test_any_subset_of_inputs_gives_a_finite_answer(given, make, stirred, kind, settings, names):
    block = stirred(make(kind, **settings))
    found = block([e for e in given if e.modality in names.split()])
    assert found.embedding.tokens.isfinite().all()
    assert found.embedding.mask[0].any()
    assert set(found.embedding.modality.split("+")) <= set(names.split())


@each_variant
def test_samples_of_a_batch_do_not_see_each_other(given, make, stirred, kind, settings):
    block = stirred(make(kind, **settings))
    first = [ModalityEmbedding(e.modality, e.tokens[:1], e.mask[:1]) for e in given]
    torch.testing.assert_close(block(given).embedding.tokens[:1], block(first).embedding.tokens)


@each_variant
def test_a_single_input_is_one_for_every_sample(given, make, stirred, embed, kind, settings):
    block, one = stirred(make(kind, **settings)), embed("style", 1, 4, 8)
    both = ModalityEmbedding("style", one.tokens.repeat(2, 1, 1), one.mask.repeat(2, 1))
    found = block([one if e.modality == "style" else e for e in given]).embedding.tokens
    many = block([both if e.modality == "style" else e for e in given]).embedding.tokens
    torch.testing.assert_close(found, many)


@each_variant
def test_the_order_of_different_inputs_means_nothing_unless_they_are_read(
    given, make, stirred, kind, settings
):
    block = stirred(make(kind, **settings))
    said, found = block(given).embedding, block([given[2], given[0], given[1]]).embedding
    assert torch.equal(said.tokens, found.tokens) != settings.get("interleaved", False)


@each_variant
def test_the_order_in_which_widths_are_listed_means_nothing(given, make, stirred, kind, settings):
    block = stirred(make(kind, **settings))
    turned = {name: 8 for name in ("audio", "text", "style")}
    other = build(kind, {**settings, "widths": turned})
    other.load_state_dict(block.state_dict())
    assert torch.equal(block(given).embedding.tokens, other(given).embedding.tokens)


@each_variant
def test_gradients_are_those_of_finite_differences(embed, stirred, make, kind, settings):
    block = stirred(make(kind, widths={"text": 4, "style": 4}, **{**settings, "space": 4}
                         if "space" in settings else settings), 0.3).double()  # fmt: skip
    text = embed("text", 1, 3, 4, (2,), dtype=torch.float64)
    style = embed("style", 1, 2, 4, dtype=torch.float64)

    def said(a, b):
        return block([replace(text, tokens=a), replace(style, tokens=b)]).embedding.tokens

    # Media first, so that interleaved text has something before it.
    def read(b, a):
        return block([replace(style, tokens=b), replace(text, tokens=a)]).embedding.tokens

    a, b = text.tokens.requires_grad_(), style.tokens.requires_grad_()
    if settings.get("interleaved"):
        assert torch.autograd.gradcheck(read, (b, a))
    else:
        assert torch.autograd.gradcheck(said, (a, b))


@each_variant
def test_every_weight_of_a_block_in_use_has_a_gradient(given, make, stirred, kind, settings):
    block = stirred(make(kind, **settings))
    out = block(given).embedding.tokens
    (out * torch.linspace(-1, 1, out.numel()).view(out.shape)).sum().backward()
    lazy = ("stand_in", "log_scale", "frame_embs", "joint.log_scale")
    for name, parameter in block.named_parameters():
        if not name.endswith(lazy):
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name


@each_variant
def test_every_weight_of_a_new_block_learns(embed, make, noise, kind, settings):
    """From where it starts; layers behind one that starts at zero move with the second step."""
    settings = {**settings, "strength": 0.0} if kind == "congruence" else settings
    block = make(kind, **settings).double()
    absent = [embed(name, 4, 3, 8, dtype=torch.float64) for name in ("audio", "style")]
    text = embed("text", 4, 5, 8, dtype=torch.float64)
    given, turned = [*absent, text], [*absent[::-1], text]
    start = {name: p.detach().clone() for name, p in block.named_parameters()}
    optimizer = torch.optim.SGD(block.parameters(), lr=0.1)
    joint = block if kind == "joint" else getattr(block, "joint", None)
    for _ in range(4):
        optimizer.zero_grad()
        for inputs in (given, turned, absent):  # the last without the base, what stands in for it
            out = block(inputs).embedding.tokens
            (out - noise(*out.shape)).square().mean().backward()
        if joint is not None:
            joint.loss(given).backward()
        optimizer.step()
    stuck = [n for n, p in block.named_parameters() if torch.equal(p, start[n])]
    assert stuck == (["frame_embs"] if settings.get("interleaved") else [])  # it reads no times


@each_variant
def test_inputs_of_other_widths_are_taken(given, embed, make, stirred, kind, settings):
    widths = {"text": 8, "style": 5, "audio": 8}
    block = stirred(make(kind, widths=widths, **settings))
    other = embed("style", 2, 4, 5)
    found = block([e if e.modality == "text" else other for e in given if e.modality != "audio"])
    assert found.embedding.tokens.shape[-1] == 8


@each_variant
def test_a_host_can_pass_its_own_layers(make, kind, settings):
    class Linear(torch.nn.Linear):
        pass

    class LayerNorm(torch.nn.LayerNorm):
        pass

    ops = ModuleType("ops")
    ops.Linear, ops.LayerNorm = Linear, LayerNorm
    block = build(kind, {"widths": {"text": 8, "style": 5}, **settings}, ops)
    layers = [m for m in block.modules() if isinstance(m, torch.nn.Linear | torch.nn.LayerNorm)]
    assert layers
    assert {type(m) for m in layers} <= {Linear, LayerNorm}


def test_every_kind_is_tested_and_knows_its_name(make):
    assert SMALL.keys() == KINDS.keys() == NEUTRAL.keys()
    for kind, settings in SMALL.items():
        assert kind_of(make(kind, **settings)) == kind


def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"no fusion block 'gate'; choose one of concat, gated"):
        build("gate", {})


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("gated", {"hiden": 3}, "'gated' cannot have these settings.*hiden"),
        ("gated", {"hidden": 0}, "hidden is 0; needed a whole number of 1 or more"),
        ("gated", {"base": "sound"}, "the base 'sound' is not among the widths"),
        ("concat", {"widths": {}}, "not among the widths {}; give the token width of every input"),
        ("concat", {"widths": {"text": True}}, "the width of text is True; needed a whole"),
        ("concat", {"widths": {"text": 8, "a.b": 8}}, "called 'a.b'; needed letters, digits"),
        ("mutual", {"heads": 3}, "3 heads cannot share the width 8; choose a number"),
        ("flamingo", {"latents": -1}, "latents is -1; needed"),
        ("resampler", {"frames": 0}, "frames is 0; needed"),
        ("joint", {"space": 6}, "4 heads cannot share the width 6"),
        ("congruence", {"strength": float("nan")}, "strength is nan; needed a finite number"),
    ],
)
def test_settings_that_make_no_block_are_refused(kind, settings, said):
    with pytest.raises(InputError, match=said):
        build(kind, {"widths": {"text": 8, "style": 8}, **settings})
