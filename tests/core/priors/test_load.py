"""Files of priors, and files that are none."""

import math
from types import ModuleType

import pytest
import torch
from safetensors.torch import load_file, save_file

from mm_core.embedded.weights import SHIPPED
from mm_core.errors import WeightsError
from mm_core.priors.autoregressive import AutoregressivePrior
from mm_core.priors.dalle2 import OLDEST
from mm_core.priors.diffusion import DiffusionPrior
from mm_core.priors.laion import LaionPrior
from mm_core.priors.load import (
    KIND,
    VERSION,
    described,
    load_prior,
    read_layout,
    read_network,
    save_prior,
)
from mm_core.priors.prior import PriorText, Request
from mm_core.weights.header import Header, pack
from mm_core.weights.save import save_tensors

ORIGINAL = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "embedding_proj": "text_emb_proj",
    "encoder_hidden_states_proj": "text_enc_proj",
    "proj_in": "clip_img_proj",
    "norm_out": "final_ln",
    "proj_to_clip_embeddings": "out_proj",
    "prd_embedding": "prd_emb",
    "transformer_blocks": "transformer.resblocks",
    "attn1.to_out.0": "attn.c_proj",
    "ff.net.0.proj": "mlp.c_fc",
    "ff.net.2": "mlp.c_proj",
    "norm1": "ln_1",
    "norm3": "ln_2",
}


def original(state, heads):
    """A network's tensors as the original code bases keep them."""
    out = {}
    for name, tensor in state.items():
        if name.startswith("clip_"):
            out[name] = tensor
        elif ".to_q." in name:
            q, k, v = (state[name.replace(".to_q.", f".to_{c}.")] for c in "qkv")
            parts = [p.chunk(heads) for p in (q, k, v)]
            together = torch.cat([parts[c][h] for h in range(heads) for c in range(3)])
            place = name.replace("transformer_blocks", "transformer.resblocks")
            out["model." + place.replace("attn1.to_q", "attn.c_qkv")] = together
        elif not any(f".to_{c}." in name for c in "kv"):
            for ours, theirs in ORIGINAL.items():
                name = name.replace(ours, theirs)
            out[f"model.{name}"] = tensor
    return {n: t.contiguous() for n, t in out.items()}


@pytest.fixture
def path(network, tmp_path):
    save_file(network.state_dict(), tmp_path / "a.safetensors")
    return tmp_path / "a.safetensors"


def answer(prior, texts):
    return prior.sample(texts(2), Request((1, 2), 4, 2.0), texts(1, seed=5)).vectors


def assert_the_same(loaded, prior, texts):
    """Weights bit for bit. Tensors of a file lie at other places in memory, where float32's kernels
    may round otherwise."""
    state = loaded.network.state_dict()
    for name, tensor in prior.network.state_dict().items():
        assert torch.equal(state[name], tensor)
    torch.testing.assert_close(answer(loaded, texts), answer(prior, texts), rtol=1e-5, atol=1e-5)


def test_a_published_file_gives_the_prior_it_holds(path, diffusion, texts):
    loaded = load_prior(path, heads=4)
    assert isinstance(loaded, DiffusionPrior)
    assert_the_same(loaded, diffusion, texts)
    assert not any(p.requires_grad for p in loaded.network.parameters())


def test_an_original_file_gives_the_same_prior(network, path, tmp_path, texts):
    save_file(original(network.state_dict(), 4), tmp_path / "b.safetensors")
    layout = read_layout(tmp_path / "b.safetensors", heads=4)
    assert layout.original
    here, there = load_prior(tmp_path / "b.safetensors", heads=4), load_prior(path, heads=4)
    assert torch.equal(answer(here, texts), answer(there, texts))


def test_a_laion_file_gives_the_prior_it_holds(laion, tmp_path, texts):
    state = {f"model.net.{n}": t.contiguous() for n, t in laion.network.state_dict().items()}
    extra = {"model.noise_scheduler.betas": torch.zeros(50), "model.clip.x": torch.zeros(1)}
    save_file(state | extra, tmp_path / "a.safetensors")
    loaded = load_prior(tmp_path / "a.safetensors")
    assert isinstance(loaded, LaionPrior)
    assert loaded.network.sizes == laion.network.sizes
    assert torch.equal(answer(loaded, texts), answer(laion, texts))


def test_a_laion_file_of_another_form_is_refused(laion, tmp_path):
    state = {f"net.{n}": t.contiguous() for n, t in laion.network.state_dict().items()}
    plain = {n: t for n, t in state.items() if "rotary" not in n}
    save_file(plain, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match=r"without '.*rotary_emb\.freqs'; this version reads"):
        load_prior(tmp_path / "a.safetensors")


NULLS = ("null_text_encodings", "null_text_embeds", "null_image_embed")


def save_laion(path, state):
    save_file({f"net.{n}": t.detach().contiguous() for n, t in state.items()}, path)
    return path


@pytest.fixture
def published(laion, tmp_path, monkeypatch):
    """published(form) -> a file of the same weights as one version or other saved them."""
    monkeypatch.setattr("mm_core.priors.dalle2.CLIP_TOKENS", laion.network.sizes.tokens)
    state = laion.network.state_dict()
    bare = {n: t for n, t in state.items() if n not in NULLS}
    gamma = {n.replace(".g", ".gamma") if n.endswith(".g") else n: t for n, t in bare.items()}
    beta = {n.replace(".gamma", ".beta"): torch.zeros_like(t) for n, t in gamma.items()
            if n.endswith(".gamma")}  # fmt: skip
    forms = {
        "newest": state,
        "padding": bare | {"null_text_embed": state[NULLS[0]]},
        "none": bare,
        "gamma": gamma | beta,
    }
    return lambda form: save_laion(tmp_path / f"{form}.safetensors", forms[form])


def whole(texts, count=2):
    """Texts without padding."""
    text = texts(count)
    return PriorText(text.pooled, text.tokens, torch.ones_like(text.mask))


@pytest.mark.parametrize("form", ["padding", "none"])
def test_laions_files_without_nulls_answer_as_the_same_weights_with_them(published, form, texts):
    """At guidance 1 and without padding no null takes part."""
    asked, text = Request((1, 2), 4, 1.0), whole(texts)
    found = load_prior(published(form)).sample(text, asked).vectors
    assert torch.equal(found, load_prior(published("newest")).sample(text, asked).vectors)


def test_files_before_016_are_the_same_weights_under_other_names(published, texts):
    """Their rule is known: only versions of one rule call a gain gamma."""
    asked, text = Request((1, 2), 4, 2.0), texts(2)
    found = load_prior(published("gamma")).sample(text, asked).vectors
    same = load_prior(published("none"), trained_with=OLDEST).sample(text, asked).vectors
    assert torch.equal(found, same)
    newest = load_prior(published("none")).sample(text, asked).vectors
    assert (found - newest).norm() > 0.1 * newest.norm()


def test_offsets_of_norms_that_are_not_0_are_refused(published, tmp_path):
    state = load_file(published("gamma"))
    state["net.causal_transformer.norm.beta"] += 1
    save_file(state, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match=r"norm\.beta has numbers other than 0"):
        load_prior(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("form", "version", "said"),
    [
        ("newest", OLDEST, "saved by DALLE2-pytorch 1.9 or newer, .* not trained with 0.16.0"),
        ("padding", OLDEST, "saved by DALLE2-pytorch 0.23.0 to 1.8.4, .* or 0.23.3 to 1.4.2"),
        ("none", "0.23.3 to 1.4.2", "0.22.3 or older, .* set trained_with to 1.4.3 or newer"),
        ("gamma", "1.4.3 or newer", "0.15.4 or older, .* set trained_with to 0.16.0 or older"),
        ("none", "2.0", "not trained with 2.0"),
    ],
)
def test_versions_that_did_not_save_such_a_file_are_refused(published, form, version, said):
    path = published(form)
    for read in (load_prior, read_network, read_layout):
        with pytest.raises(WeightsError, match=said):
            read(path, trained_with=version)


@pytest.mark.parametrize("kind", ["diffusion", "autoregressive"])
def test_our_own_files_need_no_hints(request, kind, tmp_path, texts):
    prior = request.getfixturevalue(kind)
    save_prior(prior, tmp_path / "a.safetensors", {"seed": 1}, {"cosine": 0.5})
    loaded = load_prior(tmp_path / "a.safetensors")
    assert isinstance(loaded, type(prior) | AutoregressivePrior)
    assert loaded.space == prior.space
    assert_the_same(loaded, prior, texts)


def test_half_precision_keeps_the_statistics_whole(path, diffusion, texts):
    loaded = load_prior(path, heads=4, precision=torch.bfloat16)
    assert loaded.network.proj_in.weight.dtype == torch.bfloat16
    assert loaded.network.clip_std.dtype == torch.float32
    wanted = answer(diffusion, texts)
    assert (answer(loaded, texts) - wanted).norm() < 0.05 * wanted.norm()


def test_weights_of_another_size_are_named(network, tmp_path):
    state = network.state_dict()
    state["proj_in.weight"] = torch.zeros(64, 25)
    save_file(state, tmp_path / "a.safetensors")
    said = r"a\.safetensors does not fit PriorTransformer: proj_in\.weight is \(64, 25\), expected"
    with pytest.raises(WeightsError, match=said):
        load_prior(tmp_path / "a.safetensors", heads=4)


def test_nothing_is_read_before_the_shapes_are_known_to_fit(network, tmp_path, monkeypatch):
    state = network.state_dict()
    del state["clip_mean"]
    save_file(state, tmp_path / "a.safetensors")
    monkeypatch.setattr("mm_core.priors.load.read_foreign", lambda p: pytest.fail("was read"))
    with pytest.raises(WeightsError, match="lacks clip_mean"):
        load_prior(tmp_path / "a.safetensors", heads=4)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.bin", b"\x80\x02", "is a pickled file"),
        ("a.safetensors", b"<!DOCTYPE html><html>", "is a web page saved as weights"),
        ("a.safetensors", b"", "is empty; download it again"),
        ("a.safetensors", b"abc", "truncated or not a safetensors file"),
        ("b.ckpt", b"PK", r"needed \.safetensors: run mmc convert .*b\.ckpt"),
    ],
)
def test_what_is_no_weights_file_is_refused_in_one_line(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=said) as e:
        load_prior(tmp_path / name)
    assert "\n" not in str(e.value)


def test_a_truncated_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="truncated or not"):
        load_prior(path, heads=4)


def test_another_file_of_ours_is_refused():
    with pytest.raises(WeightsError, match=r"of kind 'embedded-model'.* needed kind 'prior'"):
        load_prior(SHIPPED)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, r"describes no prior that can be built here \('space'\)"),
        (
            {"space": {"name": "a", "width": 8}, "prior": "magic", "sizes": {}},
            "no prior of kind 'magic'",
        ),
        (
            {"space": {"name": "a", "width": 8}, "prior": "diffusion", "sizes": {"dim": 8}},
            "update the pack, or train the prior again",
        ),
    ],
)
def test_a_header_that_describes_no_prior_is_refused(tmp_path, config, said):
    save_tensors({}, tmp_path / "a.safetensors", Header(KIND, VERSION, config))
    with pytest.raises(WeightsError, match=said):
        load_prior(tmp_path / "a.safetensors")


@pytest.mark.parametrize("kind", ["diffusion", "autoregressive"])
def test_statistics_stay_exact_in_half_precision(kind, request, tmp_path):
    prior = request.getfixturevalue(kind)
    save_prior(prior, tmp_path / "ours.safetensors")
    half = load_prior(tmp_path / "ours.safetensors", precision=torch.bfloat16)
    assert {p.dtype for p in half.network.parameters()} == {torch.bfloat16}
    for name, value in prior.network.named_buffers():
        assert torch.equal(half.network.get_buffer(name), value)


def test_a_file_fills_layers_that_have_no_weights_before(diffusion, tmp_path, texts):
    """Hosts that load weights when they are needed have such."""

    class Later(torch.nn.Linear):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.weight, self.bias = None, None

        def _load_from_state_dict(self, state, prefix, *rest):
            self.weight = torch.nn.Parameter(state[f"{prefix}weight"])
            self.bias = torch.nn.Parameter(state[f"{prefix}bias"])

    ops = ModuleType("ops")
    ops.Linear, ops.LayerNorm, ops.Embedding = Later, torch.nn.LayerNorm, torch.nn.Embedding
    save_prior(diffusion, tmp_path / "ours.safetensors")
    loaded = load_prior(tmp_path / "ours.safetensors", ops=ops)
    assert_the_same(loaded, diffusion, texts)


SMALL = {"name": "a small CLIP", "width": 24}


@pytest.mark.parametrize("kind", ["diffusion", "autoregressive"])
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layers": 20_000}, "its tensors are of 2 layers, its header says 20000"),
        ({"layers": 10**9}, "its tensors are of 2 layers, its header says 1000000000"),
        ({"layers": 10**3000}, r"its header says of 10\^24 or more"),
        ({"width": 2**40}, "cannot have the width 1099511627776 that it claims"),
        ({"tokens": 2**62}, "cannot have the tokens 4611686018427387904 that it claims"),
        ({"heads": 7}, "7 heads cannot share the width"),
        ({"dim": 2**70}, "the space is 24 wide, needed 1180591620717411303424"),
        ({"dim": "24"}, "describes no prior that can be built here"),
    ],
)
def test_sizes_that_the_tensors_do_not_have_are_refused_before_anything_is_built(
    kind, changed, said, request, tmp_path, monkeypatch
):
    prior, path = request.getfixturevalue(kind), tmp_path / "a.safetensors"
    config = described(prior)
    config["sizes"] |= changed
    save_tensors(prior.network.state_dict(), path, Header(KIND, VERSION, config))
    monkeypatch.setattr("mm_core.priors.transformer.Block", lambda *_: pytest.fail("was built"))
    monkeypatch.setattr("mm_core.priors.autoregressive.Block", lambda *_: pytest.fail("was built"))
    for read in (load_prior, read_network):
        with pytest.raises(WeightsError, match=said) as e:
            read(path)
        assert str(e.value).startswith("a.safetensors ")
        assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"limit": 0}, "limit is 0, needed a number above 0"),
        ({"limit": "5"}, "limit is '5', needed a number"),
        ({"limit": 10**400}, r"limit is 1000+, needed a number above 0 and below 1e30"),
        ({"limit": True}, "limit is True"),
        ({"space": SMALL | {"width": 768}}, "the space is 768 wide, needed 24 as the network"),
        ({"space": SMALL | {"width": "24"}}, "the space is '24' wide"),
        ({"space": SMALL | {"name": "a\nb"}}, r"the space is called 'a\\nb', needed a name in one"),
        ({"space": SMALL | {"name": 3}}, "the space is called 3"),
        ({"space": 3}, "describes no prior"),
        ({"sizes": [1]}, "describes no prior"),
        ({"prior": {}}, r"no prior of kind \{\}"),
    ],
)
def test_descriptions_that_would_fail_later_are_refused(diffusion, changed, said, tmp_path):
    config = described(diffusion) | changed
    path = tmp_path / "a.safetensors"
    save_tensors(diffusion.network.state_dict(), path, Header(KIND, VERSION, config))
    for read in (load_prior, read_network):
        with pytest.raises(WeightsError, match=said) as e:
            read(path)
        assert "\n" not in str(e.value)


def test_a_limit_that_is_no_number_is_a_damaged_header(diffusion, tmp_path):
    metadata = pack(Header(KIND, VERSION, described(diffusion)))
    metadata["mmc.config"] = metadata["mmc.config"].replace('"limit": 10.0', '"limit": NaN')
    assert "NaN" in metadata["mmc.config"]
    save_file(diffusion.network.state_dict(), tmp_path / "a.safetensors", metadata)
    with pytest.raises(
        WeightsError, match=r"damaged header: mmc\.config is no JSON \(it holds NaN"
    ):
        load_prior(tmp_path / "a.safetensors")


def changed(state, name, value):
    out = {n: t.clone() for n, t in state.items()}
    out[name] = value(out[name])
    return out


def with_nan(tensor):
    tensor.view(-1)[-1] = math.nan
    return tensor


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("norm_out.bias", with_nan, "norm_out.bias holds numbers that are not finite; download"),
        ("clip_std", torch.zeros_like, "clip_std holds 0, needed numbers above 0 everywhere"),
        ("proj_in.weight", torch.Tensor.long, "proj_in.weight holds I64, needed floating point"),
        ("clip_mean", torch.Tensor.bool, "clip_mean holds BOOL, needed floating point"),
    ],
)
@pytest.mark.parametrize("ours", [True, False])
def test_numbers_that_cannot_be_are_refused_by_their_tensor(
    diffusion, tmp_path, name, value, said, ours
):
    state, path = changed(diffusion.network.state_dict(), name, value), tmp_path / "a.safetensors"
    save_tensors(state, path, Header(KIND, VERSION, described(diffusion)) if ours else None)
    with pytest.raises(WeightsError, match=rf"a\.safetensors .*{said}"):
        load_prior(path, heads=4)


def test_of_a_laion_file_only_the_network_must_be_floating_point(laion, tmp_path):
    state = {f"net.{n}": t.contiguous() for n, t in laion.network.state_dict().items()}
    save_file(state | {"clip.positions": torch.arange(3)}, tmp_path / "a.safetensors")
    assert load_prior(tmp_path / "a.safetensors").network.sizes == laion.network.sizes
    save_file(changed(state, "net.learned_query", with_nan), tmp_path / "b.safetensors")
    with pytest.raises(WeightsError, match="learned_query holds numbers that are not finite"):
        load_prior(tmp_path / "b.safetensors")


def test_a_causal_mask_of_any_kind_is_left_aside(network, tmp_path):
    state = network.state_dict() | {"causal_attention_mask": torch.ones(1, 11, 11).bool()}
    save_file(state, tmp_path / "a.safetensors")
    load_prior(tmp_path / "a.safetensors", heads=4)


@pytest.mark.parametrize("precision", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_weights_of_8_bits_are_converted(network, tmp_path, texts, precision):
    coarse = {n: t.to(precision) for n, t in network.state_dict().items()}
    save_file(coarse, tmp_path / "a.safetensors")
    save_file({n: t.float() for n, t in coarse.items()}, tmp_path / "b.safetensors")
    few, many = (load_prior(tmp_path / f"{n}.safetensors", heads=4) for n in "ab")
    assert {t.dtype for t in few.network.state_dict().values()} == {torch.float32}
    torch.testing.assert_close(answer(few, texts), answer(many, texts), rtol=1e-5, atol=1e-5)
