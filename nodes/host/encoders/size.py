"""The size that a map is brought to, as the map nodes have it."""

from dataclasses import dataclass

from ....mm_core.encoders.control.fit import Fit, fit_to
from ....mm_core.errors import InputError

MODES = ("crop", "pad", "stretch")


@dataclass(frozen=True)
class Size:
    """width, height in pixels, 0 and 0 for the picture's own; fit: what becomes of other shapes."""

    width: int = 0
    height: int = 0
    fit: str = "crop"

    def __post_init__(self) -> None:
        if bool(self.width) != bool(self.height):
            raise InputError(
                f"the map's size is {self.width} x {self.height}; give both sides, or 0 and 0 for "
                "the picture's own"
            )

    def of(self, width: int, height: int) -> Fit | None:
        """From a picture's size to this; None where nothing is to be done."""
        if (self.width, self.height) in ((0, 0), (width, height)):
            return None
        return fit_to((width, height), self.width, self.height, self.fit)

    def of_map(self, picture) -> Fit | None:
        """The same for a map (b, 3, h, w)."""
        return self.of(picture.shape[-1], picture.shape[-2])
