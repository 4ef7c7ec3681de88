"""Priors with random weights in published layouts, and files that are none."""

import zlib

import torch
from safetensors.torch import save_file

from mm_core.priors.autoregressive import ARSizes, AutoregressivePrior, CodeTransformer
from mm_core.priors.dalle2 import Dalle2Network, Dalle2Sizes
from mm_core.priors.load import save_prior
from mm_core.priors.space import CLIP_L
from mm_core.priors.transformer import PriorTransformer, Sizes

WIDTH = 768  # of the embeddings
WORDS = 77


def write_all(folder):
    """karlo, laion, ours, and files that cannot be used."""
    folder.mkdir(parents=True, exist_ok=True)
    karlo = drawn(PriorTransformer(Sizes(WIDTH, 128, 2, 1, WORDS))).state_dict()
    save_file(karlo, folder / "karlo.safetensors")
    laion = drawn(Dalle2Network(Dalle2Sizes(WIDTH, 1, 2, 64, WORDS, 100, 32, 256)))
    state = {f"net.{name}": tensor.contiguous() for name, tensor in laion.state_dict().items()}
    save_file(state, folder / "laion.safetensors")
    torch.save(state, folder / "old.bin")
    bare = {name: tensor for name, tensor in state.items() if "net.null_" not in name}
    save_file(bare, folder / "published.safetensors")
    save_prior(ours(), folder / "ours.safetensors", {"steps": 7})
    broken(folder, karlo)


def ours():
    network = drawn(CodeTransformer(ARSizes(WIDTH, 64, 2, 1, WORDS, codes=6, buckets=16)))
    network.leave.weight.data.mul_(5)
    network.dots.copy_(torch.linspace(-1, 3, len(network.dots)))
    network.basis.copy_(torch.linalg.qr(network.basis)[0])
    return AutoregressivePrior(network, CLIP_L)


def broken(folder, karlo):
    """Without statistics, with those of another CLIP, cut short, pickled, and a web page."""
    for name in ("clip_mean", "clip_std"):
        save_file({n: t for n, t in karlo.items() if n != name}, folder / f"no_{name}.safetensors")
    other = karlo | {"clip_mean": torch.zeros(1, 1280), "clip_std": torch.ones(1, 1280)}
    save_file(other, folder / "width.safetensors")
    whole = (folder / "karlo.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (folder / "page.safetensors").write_text("<!DOCTYPE html><html>log in first</html>")


def drawn(module):
    """Random weights that let every tensor matter, from a seed of each name."""
    with torch.no_grad():
        for name, value in module.state_dict().items():
            rng = torch.Generator().manual_seed(zlib.crc32(name.encode()))
            noise = torch.randn(value.shape, generator=rng)
            if name.endswith(("clip_std", "reach")):
                value.copy_(0.5 + noise.abs())
            elif name.endswith(("norm1.weight", "norm3.weight", ".g")):
                value.copy_(1 + 0.1 * noise)
            elif value.ndim > 1:
                value.copy_(noise * value.shape[-1] ** -0.5)
            else:
                value.copy_(0.2 * noise)
    return module
