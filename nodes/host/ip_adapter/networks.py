"""What an adapter finds in a MODEL: places that hear pictures, and how they are patched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comfy.ldm.flux.model import Flux
from comfy.ldm.modules.diffusionmodules.mmdit import MMDiT
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

from ....mm_core.adapters.ip_adapter.layout import Layout
from ....mm_core.adapters.ip_adapter.sites import (
    Architecture,
    Site,
    check_blocks,
    check_fits,
    places,
    sites,
)
from ....mm_core.errors import InputError, WeightsError
from .flux import patched_instantx, patched_xlabs
from .sd3 import patched_sd3
from .unet import patched_unet


@dataclass(frozen=True)
class Network:
    """A model's network as an adapter sees it.

    places: place -> which part of the network it is in. place_of: layer index -> place. patch:
    (MODEL, banks) -> a clone that hears them. read: from an adapter's tokens to what its layers
    read. sites: of a UNet.
    """

    places: Mapping[int, str]
    place_of: Mapping[int, int]
    patch: Callable[[Any, Mapping[str, Any]], Any]
    read: Callable[[Any], Any] = lambda tokens: tokens
    sites: Sequence[Site] = ()


def network_of(model, layout: Layout) -> Network:
    """InputError for networks of another kind, by name; WeightsError for other sizes."""
    network, name = model.model.diffusion_model, type(model.model).__name__
    if isinstance(network, UNetModel):
        name = _architecture(model).name
    kind, make = _KINDS.get(layout.model, (UNetModel, _unet))
    if not isinstance(network, kind):
        raise InputError(
            f"{layout.source} is for {layout.model}, but the model is {name}: choose an adapter "
            f"for it, or load a {layout.model} model"
        )
    return make(model, layout)


def _unet(model, layout: Layout) -> Network:
    shape = _architecture(model)
    check_fits(layout, shape)
    found = sites(shape)
    _check_arranged(model.model.diffusion_model, found, layout)
    place_of = {site.index: site.place for site in found}
    return Network(places(found), place_of, _patched_unet, _reader(model, layout), found)


def _check_arranged(network, found: Sequence[Site], layout: Layout) -> None:
    """WeightsError where attentions are not where a UNet of this kind has them: the adapter's
    layers would be heard in other places, or nowhere."""
    there = {name for name, _ in network.named_modules() if name.endswith(".attn2")}
    if strange := sorted(there ^ {site.host_module for site in found}):
        raise WeightsError(
            f"{layout.source} is for {layout.model}, but the model's text attentions are arranged "
            f"otherwise ({strange[0]} and {len(strange) - 1} more differ); load a model with the "
            f"layers of {layout.model}"
        )


def _patched_unet(model, banks: Mapping[str, Any]):
    return patched_unet(model, banks, sites(_architecture(model)))


def _flux(model, layout: Layout) -> Network:
    network = model.model.diffusion_model
    kinds = ["double"] * len(network.double_blocks)
    if layout.family == "flux_instantx":
        kinds += ["single"] * len(network.single_blocks)
    check_blocks(layout, type(model.model).__name__, len(kinds), network.hidden_size)
    patch = patched_instantx if layout.family == "flux_instantx" else patched_xlabs
    return Network(dict(enumerate(kinds)), {i: i for i in range(len(kinds))}, patch)


def _sd3(model, layout: Layout) -> Network:
    network = model.model.diffusion_model
    blocks = network.joint_blocks
    check_blocks(layout, type(model.model).__name__, len(blocks), network.hidden_size)
    if any(block.x_block.x_block_self_attn for block in blocks):
        raise WeightsError(
            f"{layout.source} is for SD3.5 Large, but the model attends to its image twice, as "
            "SD3.5 Medium does; load SD3.5 Large"
        )
    return Network(dict.fromkeys(range(len(blocks)), "joint"),
                   {i: i for i in range(len(blocks))}, patched_sd3)  # fmt: skip


_KINDS = {"Flux": (Flux, _flux), "SD3.5": (MMDiT, _sd3)}


def _reader(model, layout: Layout):
    """Kolors' FaceID tokens pass through the model's own projection of text."""
    if layout.context == layout.token_width:
        return lambda tokens: tokens
    project = getattr(model.model.diffusion_model, "encoder_hid_proj", None)
    if project is None:
        raise InputError(
            f"{layout.source} makes tokens {layout.token_width} wide that pass through Kolors' own "
            f"projection of text to {layout.context}, and this model has none (encoder_hid_proj): "
            "load Kolors with a node that keeps it in the UNet, or choose its plus adapter"
        )
    return lambda tokens: project(tokens.to(project.weight))


def _architecture(model) -> Architecture:
    config = model.model.model_config.unet_config
    each = config["num_res_blocks"]
    layers = each[0] if isinstance(each, list | tuple) else each
    depth = list(config["transformer_depth"])
    mult = config["channel_mult"]
    widths = tuple(config["model_channels"] * m for m in mult)
    depths = tuple(depth[level * layers] for level in range(len(mult)))
    middle = max(0, config.get("transformer_depth_middle") or 0)
    width = config["context_dim"]
    known = {768: "SD1.5", 1024: "SD2", 2048: "SDXL"}.get(width, f"a UNet that reads width {width}")
    return Architecture(known, config["context_dim"], widths, depths, middle, layers)
