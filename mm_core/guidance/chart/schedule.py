"""A schedule as a curve."""

from collections.abc import Callable

from PIL import Image

from ...types import Moment
from ..schedule import Schedule
from .axes import SMALL, Frame, heading, levels, round_levels
from .canvas import Canvas
from .palette import FAINT, GRID, NAMED, Number, lighter
from .stages import progress

WIDTH, HEIGHT = 640, 360
POINTS = 1000
ROOM = 0.05  # above and below the curve
BY_NOISE = ("bell", "band")  # they follow the noise, wherever in sampling it comes up
BY_WINDOW = ("window", "linear", "cosine")


def flow_noise(share: Number) -> Number:
    """The ratio of noise to signal at a progress of a rectified flow, whose noise falls evenly."""
    return (1 - share) / share if share > 0 else float("inf")


def draw_schedule(
    schedule: Schedule, noise_at: Callable[[Number], Number] = flow_noise
) -> Image.Image:
    """The value over progress, with the part from start to end shaded where that means something.

    noise_at: ratio of noise to signal at a progress, for the kinds that go by it.
    """
    canvas = Canvas(WIDTH, HEIGHT)
    frame = Frame(58, 56, WIDTH - 24, HEIGHT - 68)
    shares = [i / POINTS for i in range(POINTS + 1)]
    values = [schedule(Moment(p, noise_at(p))) for p in shares]
    high, low = max(1.0, *values), min(0.0, *values)
    ticks = round_levels(high)
    ticks = [*(-t for t in reversed(round_levels(-low)) if low < 0 and t), *ticks]
    room = ROOM * (ticks[-1] - ticks[0])
    bottom, top = ticks[0] - (room if low < 0 else 0), ticks[-1] + room

    def height(value: Number) -> Number:
        return (value - bottom) / (top - bottom)

    canvas.box((frame.left, frame.top, frame.right, frame.bottom), outline=GRID)

    if schedule.kind in BY_WINDOW:
        ends = frame.x(schedule.start), frame.x(schedule.end)
        canvas.box((ends[0], frame.top, ends[1], frame.bottom), lighter(NAMED["audio"], 0.8))
        for x in ends:
            canvas.line([(x, frame.top), (x, frame.bottom)], NAMED["audio"])
    levels(canvas, frame, ticks, height)
    canvas.line([(frame.left, frame.y(height(0))), (frame.right, frame.y(height(0)))], FAINT)
    curve = [(frame.x(p), frame.y(height(v))) for p, v in zip(shares, values, strict=True)]
    canvas.line(curve, NAMED["text"], 2.5)
    if schedule.kind == "points":
        for at, value in schedule.points:
            canvas.dot((frame.x(at), frame.y(height(value))), 4, NAMED["text"], NAMED["text"])
    heading(canvas, (16, 30), schedule.kind, "share of the push, over the progress of sampling")
    progress(canvas, frame)
    if schedule.kind in BY_NOISE:
        for share in (0.25, 0.5, 0.75):
            canvas.text((frame.x(share), frame.bottom + 21), f"n {noise_at(share):.2g}", FAINT,
                        SMALL, "mt")  # fmt: skip
        said = "n: noise to signal there in a flow; the curve follows n, so other models shift it"
        canvas.text((frame.left, HEIGHT - 14), said, FAINT, SMALL)
    return canvas.finish()
