"""Files come in whole, under names of any publisher, or are refused."""

from dataclasses import replace
from types import ModuleType

import layouts
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mm_core.adapters.ip_adapter.load import load_adapter, read_adapter, read_layout
from mm_core.adapters.ip_adapter.projection import ImagePrompt
from mm_core.errors import WeightsError
from mm_core.weights.load import read_foreign

FACE = [8] * 2 + [16] * 2 + [24] * 5 + [16] * 3 + [8] * 3 + [24]


def test_a_loaded_adapter_holds_the_files_numbers(written, tiny, noise):
    shapes = layouts.base(12, 64) | tiny
    adapter, tensors = load_adapter(written(shapes)), layouts.random_tensors(shapes)
    assert adapter.state_dict().keys() == tensors.keys()
    assert all(torch.equal(t, tensors[n]) for n, t in adapter.state_dict().items())
    kv = adapter.keys_values(adapter.tokens(ImagePrompt(noise(2, 12))))
    assert {i: tuple(pair.k.shape) for i, pair in kv.items()} == {
        i: (2, 4, w) for i, w in zip(range(1, 33, 2), FACE, strict=True)
    }


def test_layers_are_the_hosts(written, tiny):
    ops = ModuleType("ops")
    ops.Linear = type("HostLinear", (nn.Linear,), {})
    ops.LayerNorm = type("HostNorm", (nn.LayerNorm,), {})
    adapter = load_adapter(written(layouts.plus(12, 24, 2, 64) | tiny), ops)
    own = {type(m) for m in adapter.modules() if isinstance(m, nn.Linear | nn.LayerNorm)}
    assert own == {ops.Linear, ops.LayerNorm}


def test_precision_is_the_files_until_a_module_is_made(tmp_path, tiny):
    half = {n: t.half() for n, t in layouts.random_tensors(layouts.base(12, 64) | tiny).items()}
    save_file(half, tmp_path / "a.safetensors")
    file = read_adapter(tmp_path / "a.safetensors")
    assert {t.dtype for t in file.tensors.values()} == {torch.float16}
    assert next(load_adapter(tmp_path / "a.safetensors").parameters()).dtype == torch.float32


def from_trainer(tensors):
    """As tutorial_train.py and its kin of IP-Adapter keep an adapter, beside the frozen UNet."""
    names = {"image_proj.": "image_proj_model.", "ip_adapter.": "adapter_modules."}
    out = {
        "unet.conv_in.weight": torch.zeros(2),
        "unet.conv_out.bias": torch.ones(3),
    }
    for name, tensor in tensors.items():
        start = next(s for s in names if name.startswith(s))
        out[name.replace(start, names[start], 1)] = tensor
    return out


def in_unet(tensors):
    """The same where each tensor is written once, under the first of its names: the UNet's.

    Attentions of SD 1.5 as the paper counts them: down, up, and the middle last.
    """
    modules = [f"down_blocks.{b}.attentions.{a}" for b in range(3) for a in range(2)]
    modules += [f"up_blocks.{b}.attentions.{a}" for b in (1, 2, 3) for a in range(3)]
    modules += ["mid_block.attentions.0"]
    out = {}
    for name, tensor in from_trainer(tensors).items():
        if name.startswith("adapter_modules."):
            _, index, rest = name.split(".", 2)
            block = f"unet.{modules[int(index) // 2]}.transformer_blocks.0"
            name = f"{block}.attn{1 + int(index) % 2}.processor.{rest}"
        out[name] = tensor
    return out


def parallel(tensors):
    return {f"module.{name}": tensor for name, tensor in from_trainer(tensors).items()}


KINDS = {
    "base": layouts.base(12, 64),
    "plus": layouts.plus(12, 24, 2, 64),
    "faceid": layouts.faceid(10, 64) | layouts.lora(FACE, 64, 4),
}


@pytest.mark.parametrize("spelled", [from_trainer, in_unet, parallel])
@pytest.mark.parametrize("kind", KINDS)
def test_checkpoints_of_the_trainer_are_the_adapter_they_hold(tmp_path, tiny, kind, spelled):
    tensors = layouts.random_tensors(KINDS[kind] | tiny)
    save_file(tensors, tmp_path / "usual.safetensors")
    save_file(spelled(tensors), tmp_path / "trainer.safetensors")
    usual, trainer = (read_adapter(tmp_path / f"{n}.safetensors") for n in ("usual", "trainer"))
    assert trainer.layout == replace(usual.layout, source="trainer.safetensors")
    for wanted, found in ((usual.tensors, trainer.tensors), (usual.lora, trainer.lora)):
        assert found.keys() == wanted.keys()
        assert all(torch.equal(tensor, found[name]) for name, tensor in wanted.items())


def test_of_a_checkpoint_only_the_adapter_is_read(tmp_path, tiny, monkeypatch):
    """The UNet beside it is a hundred times as large."""
    tensors = from_trainer(layouts.random_tensors(layouts.base(12, 64) | tiny))
    save_file(tensors, tmp_path / "a.safetensors")
    asked = []
    monkeypatch.setattr(
        "mm_core.adapters.ip_adapter.load.read_foreign",
        lambda path, names: asked.extend(names) or read_foreign(path, names),
    )
    read_adapter(tmp_path / "a.safetensors")
    assert set(asked) == {n for n in tensors if not n.startswith("unet.")}


def test_two_spellings_of_one_tensor_are_refused(tmp_path, tiny):
    tensors = layouts.random_tensors(layouts.base(12, 64) | tiny)
    start = "image_proj_model.norm"
    other = {n: t.clone() for n, t in from_trainer(tensors).items() if n.startswith(start)}
    save_file(tensors | other, tmp_path / "a.safetensors")
    said = r"holds image_proj\.norm\.\w+ twice, as image_proj\w*\.norm\.\w+ and as image_proj\w*\."
    with pytest.raises(WeightsError, match=said):
        read_adapter(tmp_path / "a.safetensors")


def test_a_resampler_of_part_of_a_head_is_refused(written, tiny):
    """Heads are 64 wide in every published file; 80 numbers are none of these."""
    shapes = layouts.plus(12, 24, 2, 64) | tiny
    for k in range(4):
        here = f"image_proj.layers.{k}.0"
        shapes |= {f"{here}.to_q.weight": (80, 24), f"{here}.to_kv.weight": (160, 24)}
        shapes |= {f"{here}.to_out.weight": (24, 80)}
    with pytest.raises(WeightsError, match=r"layers\.0\.0\.to_q\.weight has 80 rows.* of 64"):
        read_layout(written(shapes))


def test_low_rank_weights_are_kept_apart(written, tiny):
    file = read_adapter(written(layouts.faceid(10, 64) | tiny | layouts.lora(FACE, 64, 4)))
    assert file.layout.lora_rank == 4
    assert len(file.lora) == 32 * 8
    assert not [n for n in file.tensors if "lora" in n]


def test_names_of_xlabs_and_of_the_community_load_alike(written, tiny):
    shapes = {n.replace("ip_adapter.", "adapter_modules."): s for n, s in tiny.items()}
    community = load_adapter(written(layouts.base(12, 64) | shapes))
    assert "ip_adapter.31.to_k_ip.weight" in community.state_dict()
    xlabs = load_adapter(written(layouts.xlabs(12, 32, 32, blocks=2), "x.safetensors"))
    assert xlabs.layout.family == "flux_xlabs"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_proj.norm.bias": None}, "does not fit IPAdapter: missing image_proj.norm.bias"),
        ({"image_proj.extra": (3,)}, "unexpected image_proj.extra"),
        ({"image_proj.norm.bias": (5,)}, r"norm.bias is \(5,\), expected \(64,\)"),
        ({"ip_adapter.1.to_k_ip.bias": (8,)}, "unexpected ip_adapter.1.to_k_ip.bias"),
    ],
)
def test_a_tensor_too_few_too_many_or_too_large_is_named(written, tiny, change, said):
    shapes = layouts.base(12, 64) | tiny | change
    path = written({n: s for n, s in shapes.items() if s is not None})
    with pytest.raises(WeightsError, match=rf"a\.safetensors .*{said}"):
        read_layout(path)


def test_what_is_no_file_of_weights_is_refused_like_any_other(tmp_path):
    (tmp_path / "a.safetensors").write_text("<!doctype html><title>Sign in</title>")
    with pytest.raises(WeightsError, match="a web page saved as weights"):
        read_layout(tmp_path / "a.safetensors")
    torch.save({}, tmp_path / "ip-adapter.bin")
    with pytest.raises(WeightsError, match=r"run mmc convert .*ip-adapter\.bin"):
        read_layout(tmp_path / "ip-adapter.bin")


def test_the_layout_is_read_without_the_tensors(written, tiny, monkeypatch):
    path = written(layouts.base(12, 64) | tiny)
    monkeypatch.setattr("mm_core.adapters.ip_adapter.load.read_foreign", None)
    assert str(read_layout(path)).startswith("base for SD1.5, 4 tokens, needs image_embeds 12")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["image_proj.proj.weight", "ip_adapter.5.to_k_ip.weight"])
def test_numbers_that_are_none_are_named(tmp_path, tiny, name, number):
    tensors = layouts.random_tensors(layouts.base(12, 64) | tiny)
    tensors[name][0, 0] = number
    save_file(tensors, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match=rf"a\.safetensors is damaged: {name} holds numbers"):
        read_adapter(tmp_path / "a.safetensors")


def test_quantised_numbers_are_refused(tmp_path, tiny):
    tensors = layouts.random_tensors(layouts.base(12, 64) | tiny)
    tensors = {n: t.to(torch.int8) for n, t in tensors.items()}
    save_file(tensors, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="numbers of the kind int8; needed floating point"):
        read_adapter(tmp_path / "a.safetensors")
