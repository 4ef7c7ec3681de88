"""What a prior file claims, held against what it holds, before anything of that size is built."""

import math
import re
from collections.abc import Mapping

from ..errors import WeightsError

Shape = tuple[int, ...]


def count_layers(shapes: Mapping[str, Shape], before: str, source: str) -> int:
    """How many layers are named; before: what stands before their numbers.

    Raises WeightsError unless there are some and their numbers are 0, 1, 2 and so on.
    """
    named = re.compile(re.escape(before) + r"([0-9]{1,9})\.")
    numbers = sorted({int(m[1]) for n in shapes if (m := named.match(n))})
    last = max(numbers, default=0)
    if last != len(numbers) - 1:
        found = ", ".join(map(str, numbers if len(numbers) < 5 else [*numbers[:3], "...", last]))
        raise WeightsError(
            f"{source} is incomplete: it has the layers [{found}]; download it again"
        )
    return len(numbers)


def check_room(needs: Mapping[str, int], shapes: Mapping[str, Shape], source: str) -> None:
    """WeightsError where a part alone needs more numbers than all tensors have.

    needs: numbers of a part, by the claim that it follows from, such as "width 768".
    """
    held = sum(math.prod(s) for s in shapes.values())
    for claim, needed in needs.items():
        if needed > held:
            raise WeightsError(
                f"{source} cannot have the {claim} that it claims: its tensors have {held} numbers "
                "in all, too few for that; download or make it again"
            )


def needs(width: int, layers: int, **others: int) -> dict[str, int]:
    """What check_room needs of a network of Blocks. others: sizes that a tensor shares with
    width."""
    out = {f"width {shown(width)}": width**2, f"layers {shown(layers)}": 12 * layers * width**2}
    out |= {f"{name} {shown(size)}": size * width for name, size in others.items()}
    if "codes" in others:
        out["code components"] = others["dim"] * others["codes"]
    return out


def check_shape(name: str, shape: Shape, dimensions: int, source: str) -> None:
    """WeightsError unless the shape has so many dimensions, all above 0."""
    if len(shape) != dimensions or 0 in shape:
        raise WeightsError(
            f"{source} cannot be used: {name} has the shape {shape}, needed {dimensions} "
            "dimensions above 0; download it again"
        )


def check_filled(shapes: Mapping[str, Shape], source: str) -> None:
    """WeightsError naming a tensor without numbers, or without dimensions."""
    for name, shape in shapes.items():
        if not shape or 0 in shape:
            raise WeightsError(
                f"{source} cannot be used: {name} has the shape {shape}, needed dimensions above "
                "0; download it again"
            )


def shown(size: int) -> str:
    """A number of any length in a few digits."""
    return str(size) if size < 10**24 else "of 10^24 or more"
