"""Control pictures, masks and points of any size -> the size of a latent, all in one way.

Coordinates are continuous: pixel k covers k to k + 1, so a point's pixel is its whole part, which
is how skeletons are drawn.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F

from ...errors import InputError
from ...types import Float, Picture, Tensor
from .people import LARGEST, Frame

Mode = Literal["stretch", "crop", "pad"]
CELL = 8  # pixels a side that one cell of a latent covers
LARGE, MOST_LOST = (
    2**24,
    16,
)  # pixels, and times the target, that a cropped picture may be scaled to


@dataclass(frozen=True)
class Fit:
    """From one canvas to another: scaled to a whole-pixel size, then shifted by whole pixels.

    source, scaled, target: width and height in pixels. left, top: where the scaled picture's
    corner lies on the target; less than 0 where it is cropped.
    """

    source: tuple[int, int]
    scaled: tuple[int, int]
    target: tuple[int, int]
    left: int = 0
    top: int = 0

    @property
    def matrix(self) -> Float[Tensor, "2 3"]:
        """What multiplies (x, y, 1) of the source: pixels of the target."""
        across, down = (s / o for s, o in zip(self.scaled, self.source, strict=True))
        return torch.tensor([[across, 0, self.left], [0, down, self.top]], dtype=torch.float64)

    def picture(
        self, x: Picture, background: float = 0.0, exact: bool = False
    ) -> Float[Tensor, "b 3 height width"]:
        """A picture on the target; background where it has nothing, which is far, or nobody.

        exact: nearest pixels, for pictures whose colours are classes.
        """
        self._check(x.shape[-1], x.shape[-2])
        return self._place(self._scale(x, exact), background)

    def mask(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, "b height width"]:
        """A mask on the target by nearest pixels; 0 where it has nothing."""
        self._check(x.shape[-1], x.shape[-2])
        return self._place(self._scale(x[:, None], exact=True), 0.0)[:, 0]

    def points(self, x: Float[Tensor, "*any 2"]) -> Float[Tensor, "*any 2"]:
        """Points x, y in pixels of the source as pixels of the target; some may lie outside."""
        matrix = self.matrix.to(x)
        return x @ matrix[:, :2].T + matrix[:, 2]

    def frame(self, frame: Frame) -> Frame:
        """The people of a frame on the target."""
        self._check(frame.width, frame.height)
        people = tuple(person.moved(self.matrix) for person in frame.people)
        return replace(frame, width=self.target[0], height=self.target[1], people=people)

    def _check(self, width: int, height: int) -> None:
        if (width, height) != self.source:
            raise InputError(
                f"found {width} x {height} pixels where the fit is from "
                f"{self.source[0]} x {self.source[1]}; make a fit for this size"
            )

    def _scale(self, x: Tensor, exact: bool) -> Tensor:
        size = (self.scaled[1], self.scaled[0])
        if tuple(x.shape[-2:]) == size:
            return x
        if exact:
            return F.interpolate(x, size, mode="nearest-exact")
        shrinks = size[0] < x.shape[-2] or size[1] < x.shape[-1]
        return F.interpolate(
            x, size, mode="bilinear", align_corners=False, antialias=shrinks
        ).clamp(0, 1)

    def _place(self, x: Tensor, background: float) -> Tensor:
        right = self.target[0] - self.scaled[0] - self.left
        bottom = self.target[1] - self.scaled[1] - self.top
        return F.pad(x, (self.left, right, self.top, bottom), value=background)


def fit_to(
    source: tuple[int, int], width: int, height: int, mode: Mode = "crop", cell: int = CELL
) -> Fit:
    """How something of size source (width, height) comes onto a latent of width x height pixels.

    mode: "stretch" to both sides; "crop" covers the latent and loses what lies over its edges,
    equally; "pad" shows all of it, in the middle, with a background around. Aspects that differ
    by less than a pixel are kept in the last two.

    Raises InputError unless the sides are multiples of cell, which is what one place of the latent
    covers.
    """
    if width % cell or height % cell or not (0 < width <= LARGEST and 0 < height <= LARGEST):
        raise InputError(
            f"found a latent of {width} x {height} pixels; needed multiples of {cell} from {cell} "
            f"to {LARGEST}"
        )
    if min(source) < 1:
        raise InputError(f"found a picture of {source[0]} x {source[1]}; needed a pixel each way")
    if mode == "stretch":
        return Fit(source, (width, height), (width, height))
    if mode not in ("crop", "pad"):
        raise InputError(f"found the mode {mode!r}; needed 'stretch', 'crop' or 'pad'")
    ratios = width / source[0], height / source[1]
    ratio = max(ratios) if mode == "crop" else min(ratios)
    bound = max if mode == "crop" else min
    across = bound(width, max(1, round(source[0] * ratio)))
    down = bound(height, max(1, round(source[1] * ratio)))
    if across * down > max(LARGE, MOST_LOST * width * height):
        raise InputError(
            f"cropping {source[0]} x {source[1]} pixels to {width} x {height} would scale them to "
            f"{across} x {down} and lose nearly all; choose pad or stretch, or a size nearer in "
            "shape"
        )
    left, top = (width - across) // 2, (height - down) // 2
    return Fit(source, (across, down), (width, height), left, top)
