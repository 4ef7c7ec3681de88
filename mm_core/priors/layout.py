"""What a prior file is, from the names and shapes of its tensors alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..errors import WeightsError
from .claims import check_filled, check_room, check_shape, count_layers, needs
from .keys import is_original, renamed_shapes
from .space import CLIP_BIGG, CLIP_L, Space, space_of_width
from .transformer import EXTRA, Sizes

Shape = tuple[int, ...]
Family = Literal["transformer", "dalle2"]
HEAD = 64  # numbers per head in every published file; the tensors do not say
MEAN, STD = "clip_mean", "clip_std"
DALLE2_MARK = "net.learned_query"
PUBLISHED = {CLIP_L: "Karlo and Kandinsky 2.1", CLIP_BIGG: "Kandinsky 2.2"}


@dataclass(frozen=True)
class Layout:
    """family: transformer is Karlo and Kandinsky 2.1 and 2.2; dalle2 is LAION's.

    shapes: under the names of the network. prefix: of the file's names, where it has one.
    """

    source: str
    family: Family
    space: Space
    shapes: Mapping[str, Shape] = field(compare=False, repr=False)
    sizes: Sizes | None = None
    original: bool = False
    prefix: str = ""

    def __str__(self) -> str:
        kind = "LAION's DALL-E 2 prior" if self.family == "dalle2" else "prior transformer"
        return f"{kind} of {self.space}"


def detect(shapes: Mapping[str, Shape], source: str, heads: int | None = None) -> Layout:
    """The layout of a file with these tensors. heads: where they are not 64 wide.

    Raises WeightsError naming the file and what is wrong: no prior at all, statistics missing,
    or a width that is no known CLIP's.
    """
    if any(name.endswith(DALLE2_MARK) for name in shapes):
        return _dalle2(shapes, source)
    original = is_original(shapes)
    found = renamed_shapes(shapes) if original else dict(shapes)
    if "proj_to_clip_embeddings.weight" not in found:
        raise WeightsError(
            f"{source} is no prior: none of its {len(shapes)} tensors (such as "
            f"{', '.join(sorted(shapes)[:2]) or 'none'}) is proj_to_clip_embeddings.weight, "
            f"out_proj.weight or {DALLE2_MARK}; choose a Karlo, Kandinsky 2 or LAION prior"
        )
    sizes = _sizes(found, source, heads)
    for name in (MEAN, STD):
        if name not in found:
            raise WeightsError(
                f"{source} lacks {name}, without which its embeddings have no scale; choose the "
                f"diffusers file of the prior, or add {MEAN} and {STD} of its CLIP statistics"
            )
        if found[name] != (1, sizes.dim):
            raise WeightsError(
                f"{source} does not fit itself: {name} is {found[name]}, expected "
                f"{(1, sizes.dim)}; use the statistics of the CLIP that the prior was trained for"
            )
    return Layout(source, "transformer", space_of_width(sizes.dim), found, sizes, original)


def check_space(layout: Layout, wanted: Space) -> None:
    """WeightsError, with both widths and names, unless the prior is of the space."""
    if layout.space != wanted:
        known = PUBLISHED.get(wanted)
        raise WeightsError(
            f"{layout.source} is a prior of {layout.space}, but {wanted} is needed; "
            f"choose {f'the prior of {known}' if known else 'another prior'}"
        )


def _sizes(found: Mapping[str, Shape], source: str, heads: int | None) -> Sizes:
    def at(name: str, dimensions: int) -> Shape:
        shape = found.get(name)
        if shape is None:
            raise WeightsError(f"{source} is incomplete: missing {name}; download it again")
        check_shape(name, shape, dimensions, source)
        return shape

    dim, width = at("proj_to_clip_embeddings.weight", 2)
    places = at("positional_embedding", 3 if len(found.get("positional_embedding", ())) == 3 else 2)
    layers = count_layers(found, "transformer_blocks.", source)
    check_room(needs(width, layers, dim=dim, places=places[-2]), found, source)
    count = heads or width // HEAD
    if places[-2] <= EXTRA or count < 1 or width % count or width % 2:
        raise WeightsError(
            f"{source} cannot be used: width {width} with {count} heads and {places[-2]} places; "
            f"needed heads of {HEAD} that divide the width, and more than {EXTRA} places"
        )
    return Sizes(dim, width, count, layers, places[-2] - EXTRA)


def _dalle2(shapes: Mapping[str, Shape], source: str) -> Layout:
    """The averaged weights, where a file has them beside the others."""
    ends = [name.removesuffix(DALLE2_MARK) for name in shapes if name.endswith(DALLE2_MARK)]
    prefix = next((p for p in sorted(ends) if "ema" in p), min(ends, key=len)) + "net."
    found = {n.removeprefix(prefix): s for n, s in shapes.items() if n.startswith(prefix)}
    if "to_time_embeds.0.weight" not in found or len(found["to_time_embeds.0.weight"]) != 2:
        raise WeightsError(
            f"{source} is a LAION prior of continuous time (no table to_time_embeds.0.weight); "
            "this version reads those of 1000 timesteps: choose one of them"
        )
    check_filled(found, source)
    space = space_of_width(found["learned_query"][-1])
    return Layout(source, "dalle2", space, found, prefix=prefix)
