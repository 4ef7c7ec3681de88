"""The points of a face -> white discs."""

from ...types import Float, Tensor
from .raster import Canvas, Color, fill_disc, inside, pixels_of

WHITE: Color = (255, 255, 255)
RADIUS = 3


def draw_face(canvas: Canvas, face: Float[Tensor, "n 3"], seen: float, like_core: bool) -> None:
    """A disc a point. Points in the first row or column are not drawn.

    like_core: points outside the canvas are not drawn either.
    """
    for point in pixels_of(face, seen):
        if point and min(point) > 0 and (inside(canvas, point) or not like_core):
            fill_disc(canvas, point, RADIUS, WHITE)
