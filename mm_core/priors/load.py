"""A prior file to a prior, or a refusal that says why; shapes are checked before all else."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from ..errors import InputError, WeightsError
from ..types import Tensor
from ..weights.header import Header
from ..weights.load import (
    check_header,
    check_shapes,
    named,
    read_foreign,
    read_header,
    read_kinds,
    read_shapes,
    read_weights,
)
from ..weights.save import save_tensors
from .autoregressive import ARSizes, AutoregressivePrior, CodeTransformer
from .claims import check_room, count_layers, needs, shown
from .dalle2 import RULES, Dalle2Network, Dalle2Sizes, named_as_newest
from .diffusion import LIMIT, DiffusionPrior
from .keys import renamed_tensors
from .laion import LaionPrior
from .layout import MEAN, STD, Layout, detect
from .space import Space
from .transformer import PriorTransformer, Sizes
from .unclip import cosine_table
from .values import check_kinds, check_values

KIND, VERSION = "prior", 1
BLOCKS = {"diffusion": "transformer_blocks.", "autoregressive": "layers."}
MASK = "causal_attention_mask"
AnyPrior = DiffusionPrior | LaionPrior | AutoregressivePrior
Network = PriorTransformer | Dalle2Network | CodeTransformer


def read_layout(path: Path, heads: int | None = None, trained_with: str | None = None) -> Layout:
    """What a published file is, from its header alone. Raises WeightsError if it is no whole prior.

    heads, trained_with: see detect.
    """
    layout = detect(read_shapes(path), named(path), heads, trained_with)
    kinds = {n: k for n, k in read_kinds(path).items() if n.startswith(layout.prefix)}
    check_kinds({n: k for n, k in kinds.items() if n.rpartition(".")[2] != MASK}, named(path))
    check_shapes(_empty(layout, nn), _needed(layout), named(path))
    return layout


def read_network(
    path: Path, heads: int | None = None, trained_with: str | None = None
) -> tuple[Network, Space, Header | None]:
    """The network without its weights, whose embeddings it gives, and the header of a file of ours.

    From the file's header alone. Raises WeightsError where load_prior would.
    """
    header = read_header(path)
    if header is None:
        layout = read_layout(path, heads, trained_with)
        return _empty(layout, nn), layout.space, None
    check_header(header, KIND, VERSION, named(path))
    check_kinds(read_kinds(path), named(path))
    shapes = read_shapes(path)
    space, network = _described(header.config, shapes, named(path), nn)
    check_shapes(network, shapes, named(path))
    return network, space, header


def load_prior(
    path: Path,
    heads: int | None = None,
    limit: float = LIMIT,
    precision: torch.dtype = torch.float32,
    ops: ModuleType = nn,
    trained_with: str | None = None,
) -> AnyPrior:
    """The prior on the CPU, ready to sample: a published file, or one that save_prior wrote.

    heads, trained_with: see detect. limit: of a normalised embedding's numbers; 5 is what diffusers
    has for Karlo. A file of ours brings its own of all three. precision: of the weights. Raises
    WeightsError for a file that is no whole prior, and for one whose numbers cannot be.
    """
    if read_header(path) is not None:
        return _load_ours(path, precision, ops)
    layout = read_layout(path, heads, trained_with)
    network = _empty(layout, ops)
    tensors = read_foreign(path)
    if layout.original and layout.sizes:
        tensors = renamed_tensors(tensors, layout.sizes.heads)
    if layout.prefix:
        tensors = {n.removeprefix(layout.prefix): t for n, t in tensors.items()
                   if n.startswith(layout.prefix)}  # fmt: skip
    if layout.family == "dalle2":
        _check_offsets(tensors, named(path))
        tensors = named_as_newest(tensors)
    tensors = {n: tensors[n] for n in _needed(layout)}
    check_values(tensors, named(path))
    _fill(network, tensors, precision)
    if isinstance(network, Dalle2Network):
        table = cosine_table(network.sizes.times, torch.float64)
        return LaionPrior(network, layout.space, table, named(path))
    return DiffusionPrior(network, layout.space, limit, source=named(path))


def save_prior(
    prior: DiffusionPrior | AutoregressivePrior,
    path: Path,
    recipe: dict[str, Any] | None = None,
    figures: dict[str, Any] | None = None,
) -> None:
    """Writes the network under the names of published files, with all else in the header."""
    tensors = {n: t.detach() for n, t in prior.network.state_dict().items()}
    save_tensors(
        tensors, path, Header(KIND, VERSION, described(prior), recipe or {}, figures or {})
    )


def share_dropped(header: Header) -> float | None:
    """Of the texts that a prior of ours was trained on; None where the file does not say.

    Files may claim a share though there was no empty text to put in place of those dropped.
    """
    share = header.recipe.get("drop")
    if header.config.get("prior") == "diffusion" and header.recipe.get("empty") is False:
        return 0.0
    if isinstance(share, bool) or not isinstance(share, (int, float)):
        return None
    return float(share)


def described(prior: DiffusionPrior | AutoregressivePrior) -> dict[str, Any]:
    """What rebuild() needs to make the prior again, without its tensors."""
    out: dict[str, Any] = {"space": asdict(prior.space), "sizes": asdict(prior.network.sizes)}
    if isinstance(prior, DiffusionPrior):
        return out | {"prior": "diffusion", "limit": prior.limit}
    return out | {"prior": "autoregressive"}


def rebuilt(
    config: Any, tensors: dict[str, Tensor], source: str, ops: ModuleType = nn
) -> DiffusionPrior | AutoregressivePrior:
    """The prior that described() describes, with these tensors.

    Raises WeightsError for a description or tensors of no prior.
    """
    shapes = {n: tuple(t.shape) for n, t in tensors.items()}
    space, bare = _described(config, shapes, source, nn)
    # Against plain layers, since a host's may have no weights before they are filled.
    check_shapes(bare, shapes, source)
    check_values(tensors, source)
    network = bare if ops is nn else _described(config, shapes, source, ops)[1]
    _fill(network, tensors, torch.float32)
    if isinstance(network, PriorTransformer):
        return DiffusionPrior(network, space, float(config["limit"]), source=source)
    return AutoregressivePrior(network, space, source)


def _described(
    config: Any, shapes: Mapping[str, tuple[int, ...]], source: str, ops: ModuleType
) -> tuple[Space, PriorTransformer | CodeTransformer]:
    """An empty network, as described() describes it. shapes: of the tensors that are to fill it."""
    try:
        described, (kind, sizes) = config["space"], _sizes(config)
        space = _space(described, sizes)
    except (KeyError, TypeError, ValueError, RecursionError) as e:
        said = " ".join(str(e).split())[:160]
        raise WeightsError(
            f"{source} describes no prior that can be built here ({said}); update the pack, or "
            "train the prior again"
        ) from e
    if (count := count_layers(shapes, BLOCKS[kind], source)) != sizes.layers:
        raise WeightsError(
            f"{source} does not fit itself: its tensors are of {count} layers, its header says "
            f"{shown(sizes.layers)}; download it, or train the prior, again"
        )
    others = {n: v for n, v in vars(sizes).items() if n not in ("width", "layers")}
    check_room(needs(sizes.width, sizes.layers, **others), shapes, source)
    with torch.device("meta"):
        if isinstance(sizes, Sizes):
            return space, PriorTransformer(sizes, ops)
        return space, CodeTransformer(sizes, ops)


def _sizes(config: Any) -> tuple[str, Sizes | ARSizes]:
    kind = config["prior"]
    if kind == "diffusion":
        limit = config["limit"]
        if type(limit) not in (int, float) or not 0 < limit < 1e30:
            raise InputError(f"limit is {limit!r:.40}, needed a number above 0 and below 1e30")
        return kind, Sizes(**config["sizes"])
    if kind == "autoregressive":
        return kind, ARSizes(**config["sizes"])
    raise InputError(f"there is no prior of kind {kind!r:.40}")


def _space(described: Any, sizes: Sizes | ARSizes) -> Space:
    name, width = described["name"], described["width"]
    if not isinstance(name, str) or not name.isprintable() or len(name) > 200:
        raise InputError(f"the space is called {name!r:.40}, needed a name in one line")
    if type(width) is not int or width != sizes.dim:
        raise InputError(
            f"the space is {width!r:.40} wide, needed {shown(sizes.dim)} as the network"
        )
    return Space(name, width)


def _load_ours(
    path: Path, precision: torch.dtype, ops: ModuleType
) -> DiffusionPrior | AutoregressivePrior:
    check_kinds(read_kinds(path), named(path))
    tensors, header = read_weights(path, KIND, VERSION)
    prior = rebuilt(header.config, tensors, named(path), ops)
    prior.dropped = share_dropped(header) != 0
    for weight in prior.network.parameters():  # statistics stay as they are
        weight.data = weight.data.to(precision)
    return prior


def _empty(layout: Layout, ops: ModuleType) -> PriorTransformer | Dalle2Network:
    with torch.device("meta"):
        if layout.sizes:
            return PriorTransformer(layout.sizes, ops)
        rule = RULES[layout.trained_with]
        return Dalle2Network(Dalle2Sizes.of(layout.shapes, layout.source, rule), ops)


def _needed(layout: Layout) -> dict[str, tuple[int, ...]]:
    """Without what some files hold beside the network: a mask that every layer can make."""
    return {n: s for n, s in layout.shapes.items() if n != MASK}


def _check_offsets(tensors: Mapping[str, Tensor], source: str) -> None:
    """WeightsError for a norm's offset that is not 0, for which the network has no place."""
    for name, tensor in tensors.items():
        if name.endswith(".beta") and tensor.any():
            raise WeightsError(
                f"{source} cannot be used: {name} has numbers other than 0, which no "
                "DALLE2-pytorch leaves there; download it again"
            )


def _fill(network: nn.Module, tensors: dict[str, Tensor], precision: torch.dtype) -> None:
    """Takes the tensors themselves where they have the precision already, without a copy."""
    network.load_state_dict({n: t.to(precision) for n, t in tensors.items()}, assign=True)
    for name in (MEAN, STD):  # their products are small differences of large numbers
        if hasattr(network, name):
            setattr(network, name, getattr(network, name).float())
    network.eval().requires_grad_(False)
