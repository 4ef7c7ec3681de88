"""Which layer of an adapter file belongs to which cross-attention of a UNet.

Files number all attentions, self and cross, in the order in which the official code registered
them: down, up, and the middle LAST. A sampler runs them down, middle, up. Both orders follow from
the architecture, so nothing here is a table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...errors import WeightsError
from .layout import Layout

Key = tuple[str, int] | tuple[str, int, int]


@dataclass(frozen=True)
class Architecture:
    """A UNet as far as its attentions go.

    context: width of the text tokens. widths: channels of each level, finest first.
    depths: transformer blocks in each attention module of a level; 0 for a level without.
    middle: those of the middle. layers: attention modules of a level on the way down; one more on
    the way up.
    """

    name: str
    context: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    middle: int
    layers: int = 2


SD15 = Architecture("SD1.5", 768, (320, 640, 1280, 1280), (1, 1, 1, 0), 1)
SDXL = Architecture("SDXL", 2048, (320, 640, 1280), (0, 2, 10), 10)


@dataclass(frozen=True)
class Site:
    """One cross-attention.

    index: of its weights in files. place: of its attention module in the order of execution, the
    number that weight types and layer strings speak of. key: under which ComfyUI looks up a
    replacement. module: its name in diffusers; host_module: in the original code and ComfyUI.
    """

    index: int
    place: int
    key: Key
    module: str
    host_module: str
    width: int

    @property
    def block(self) -> str:
        """input, middle or output."""
        return self.key[0]


@dataclass(frozen=True)
class _Module:
    """An attention module: several transformer blocks of one width."""

    block: str
    number: int
    name: str
    depth: int
    width: int


def sites(model: Architecture) -> tuple[Site, ...]:
    """All cross-attentions in the order of their indices: 1, 3, 5, ..."""
    return tuple(_sites(model))


def places(found: Sequence[Site]) -> dict[int, str]:
    """Place -> input, middle or output, in the order of execution."""
    return dict(sorted((site.place, site.block) for site in found))


def check_fits(layout: Layout, model: Architecture) -> None:
    """WeightsError unless the adapter's layers are the model's, in number and in both widths."""
    wanted = sites(model)
    if layout.model in ("Flux", "SD3.5") or len(wanted) != len(layout.widths):
        raise WeightsError(
            f"{layout.source} is for {layout.model} ({len(layout.widths)} attention layers), but "
            f"the model is {model.name} ({len(wanted)}); choose an adapter for {model.name}, or "
            f"load a {layout.model} model"
        )
    if layout.context != model.context:
        raise WeightsError(
            f"{layout.source} was trained on image tokens of width {layout.context}, but "
            f"{model.name} reads {model.context}; choose an adapter for {model.name}"
        )
    for site in wanted:
        if layout.widths[site.index] != site.width:
            raise WeightsError(
                f"{layout.source} does not fit {model.name}: layer {site.index} ({site.module}) "
                f"is {layout.widths[site.index]} wide, the model's is {site.width}; choose an "
                f"adapter for {model.name}"
            )


def check_blocks(layout: Layout, name: str, blocks: int, width: int) -> None:
    """WeightsError unless a transformer called name has as many blocks, as wide, as the adapter's
    layers."""
    widths = set(layout.widths.values())
    if len(layout.widths) != blocks or widths != {width}:
        said = "/".join(map(str, sorted(widths)))
        raise WeightsError(
            f"{layout.source} is for {layout.model} ({len(layout.widths)} blocks of width {said}), "
            f"but the model is {name} ({blocks} of width {width}); choose an adapter for {name}"
        )


def _sites(model: Architecture) -> Iterator[Site]:
    several = max(*model.depths, model.middle) > 1
    down, middle, up = _modules(model)
    place = {module: number for number, module in enumerate([*down, *middle, *up])}
    index = 1
    for module in [*down, *up, *middle]:
        for block in range(module.depth):
            key: Key = (module.block, module.number)
            inside = {"middle": "middle_block.1"}.get(
                module.block, f"{module.block}_blocks.{module.number}.1"
            )
            yield Site(
                index,
                place[module],
                (*key, block) if several else key,
                f"{module.name}.transformer_blocks.{block}.attn2",
                f"{inside}.transformer_blocks.{block}.attn2",
                module.width,
            )
            index += 2


def _modules(model: Architecture) -> tuple[list[_Module], list[_Module], list[_Module]]:
    """Attention modules on the way down, in the middle and on the way up.

    A level has `layers` residual blocks and a downsampler on the way down, after the block that
    enters; on the way up one more residual block and no block for the upsampler.
    """
    per_level, levels = model.layers + 1, list(zip(model.widths, model.depths, strict=True))
    down = [
        _Module("input", 1 + per_level * level + a, f"down_blocks.{level}.attentions.{a}", d, w)
        for level, (w, d) in enumerate(levels)
        if d
        for a in range(model.layers)
    ]
    up = [
        _Module("output", per_level * level + a, f"up_blocks.{level}.attentions.{a}", d, w)
        for level, (w, d) in enumerate(reversed(levels))
        if d
        for a in range(per_level)
    ]
    middle = _Module("middle", 0, "mid_block.attentions.0", model.middle, model.widths[-1])
    return down, [middle] if model.middle else [], up
