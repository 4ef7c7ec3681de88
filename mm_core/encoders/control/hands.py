"""The 21 points of a hand -> fingers in the colours of the rainbow, joints blue."""

import colorsys

from ...types import Float, Tensor
from .raster import Canvas, Color, draw_line, fill_disc, inside, pixels_of

# From the wrist (0) along each finger, four bones each, thumb first.
EDGES = tuple((0 if k == 0 else 4 * f + k, 4 * f + k + 1) for f in range(5) for k in range(4))
JOINT: Color = (0, 0, 255)
RADIUS = 4


def edge_color(edge: int, whole: bool = False) -> Color:
    """Hue edge / 20 at full saturation and value; rounded, or cut to whole numbers."""
    r, g, b = (255 * v for v in colorsys.hsv_to_rgb(edge / len(EDGES), 1.0, 1.0))
    return (int(r), int(g), int(b)) if whole else (round(r), round(g), round(b))


def draw_hand(canvas: Canvas, hand: Float[Tensor, "21 3"], seen: float, like_core: bool) -> None:
    """Bones two pixels thick, then joints. Points in the first row or column are not drawn.

    like_core: points outside the canvas are not drawn, and colours are cut to whole numbers.
    """
    points = [
        p if p and min(p) > 0 and (inside(canvas, p) or not like_core) else None
        for p in pixels_of(hand, seen)
    ]
    for k, (i, j) in enumerate(EDGES):
        a, b = points[i], points[j]
        if a and b:
            draw_line(canvas, a, b, edge_color(k, like_core))
    for point in points:
        if point:
            fill_disc(canvas, point, RADIUS, JOINT)
