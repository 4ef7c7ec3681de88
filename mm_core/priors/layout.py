"""What a prior file is, from the names and shapes of its tensors alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..errors import WeightsError
from .claims import check_filled, check_room, check_shape, count_layers, needs
from .dalle2 import NEWEST, OLDEST, SAVED_BY, is_oldest, named_as_newest, nulls_of
from .keys import is_original, renamed_shapes
from .space import CLIP_BIGG, CLIP_L, Space, space_of_width
from .transformer import EXTRA, Sizes

Shape = tuple[int, ...]
Family = Literal["transformer", "dalle2"]
HEADS = {2048: 32}  # by the width of every published file; the tensors do not say
MEAN, STD = "clip_mean", "clip_std"
DALLE2_MARK = "net.learned_query"
PUBLISHED = {CLIP_L: "Karlo and Kandinsky 2.1", CLIP_BIGG: "Kandinsky 2.2"}


@dataclass(frozen=True)
class Layout:
    """family: transformer is Karlo and Kandinsky 2.1 and 2.2; dalle2 is LAION's.

    shapes: under the names of the network. prefix: of the file's names, where it has one.
    trained_with: the version of DALLE2-pytorch by whose rule a LAION prior computes, of RULES.
    """

    source: str
    family: Family
    space: Space
    shapes: Mapping[str, Shape] = field(compare=False, repr=False)
    sizes: Sizes | None = None
    original: bool = False
    prefix: str = ""
    trained_with: str = NEWEST

    def __str__(self) -> str:
        kind = "LAION's DALL-E 2 prior" if self.family == "dalle2" else "prior transformer"
        return f"{kind} of {self.space}"


def detect(
    shapes: Mapping[str, Shape],
    source: str,
    heads: int | None = None,
    trained_with: str | None = None,
) -> Layout:
    """The layout of a file with these tensors.

    heads: of a prior transformer, needed where its width is no published one's. trained_with: of
    RULES, which version of DALLE2-pytorch made a LAION prior; as the newest computes where it is
    not given. Raises WeightsError naming the file and what is wrong: no prior at all, statistics
    missing, or heads that nobody told.
    """
    if any(name.endswith(DALLE2_MARK) for name in shapes):
        return _dalle2(shapes, source, trained_with)
    original = is_original(shapes)
    found = renamed_shapes(shapes) if original else dict(shapes)
    if "proj_to_clip_embeddings.weight" not in found:
        raise WeightsError(
            f"{source} is no prior: none of its {len(shapes)} tensors (such as "
            f"{', '.join(sorted(shapes)[:2]) or 'none'}) is proj_to_clip_embeddings.weight, "
            f"out_proj.weight or {DALLE2_MARK}; choose a Karlo, Kandinsky 2 or LAION prior"
        )
    sizes = _sizes(found, source, heads)
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
    if places[-2] <= EXTRA:
        raise WeightsError(
            f"{source} cannot be used: it has {places[-2]} places, needed more than {EXTRA}; "
            "download it again"
        )
    _check_statistics(found, dim, source)
    return Sizes(dim, width, _heads(width, heads, source), layers, places[-2] - EXTRA)


def _check_statistics(found: Mapping[str, Shape], dim: int, source: str) -> None:
    for name in (MEAN, STD):
        if name not in found:
            raise WeightsError(
                f"{source} lacks {name}, without which its embeddings have no scale; choose the "
                f"diffusers file of the prior, or add {MEAN} and {STD} of its CLIP statistics"
            )
        if found[name] != (1, dim):
            raise WeightsError(
                f"{source} does not fit itself: {name} is {found[name]}, expected {(1, dim)}; use "
                "the statistics of the CLIP that the prior was trained for"
            )


def _heads(width: int, told: int | None, source: str) -> int:
    count = told or HEADS.get(width)
    if count is None:
        known = " or ".join(f"{n} for width {w}" for w, n in HEADS.items())
        raise WeightsError(
            f"{source} has width {width}, and no tensor tells how many heads share it; known is "
            f"{known}, of Karlo and Kandinsky: set heads to the number it was trained with"
        )
    if count < 1 or width % count or width % 2:
        raise WeightsError(
            f"{source} cannot be used: {count} heads cannot share the width {width}; needed heads "
            "that divide an even width: set heads to the number it was trained with"
        )
    return count


def _dalle2(shapes: Mapping[str, Shape], source: str, trained_with: str | None) -> Layout:
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
    trained_with = _version(found, source, trained_with)
    return Layout(
        source, "dalle2", space, named_as_newest(found), prefix=prefix, trained_with=trained_with
    )


def _version(found: Mapping[str, Shape], source: str, told: str | None) -> str:
    nulls = nulls_of(found)
    saved_by, fitting = SAVED_BY[nulls]
    if is_oldest(found):
        saved_by, fitting = "0.15.4 or older", (OLDEST,)
    if told is not None and told not in fitting:
        raise WeightsError(
            f"{source} was saved by DALLE2-pytorch {saved_by}, as its tensors tell, so it was not "
            f"trained with {told}; set trained_with to {' or '.join(fitting)}"
        )
    return told or fitting[0]
