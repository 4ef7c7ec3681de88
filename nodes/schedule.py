"""Schedule: how much of a weight's push acts when."""

from comfy_api.latest import io, ui

from ..mm_core.guidance.chart.schedule import draw_schedule
from ..mm_core.guidance.points import EXAMPLE, parse_points
from ..mm_core.guidance.schedule import KINDS, Schedule
from .pictures import as_image
from .sockets import Schedule as ScheduleSocket


class DrawSchedule(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Schedule",
            display_name="Guidance Schedule",
            category="multimodal/guide",
            description="A curve over sampling that scales how far an input's weight is from 1. "
            "The curve is drawn on the node.",
            search_aliases=["cfg curve", "guidance interval", "dynamic cfg", "ramp"],
            inputs=[
                io.Combo.Input(
                    "kind",
                    options=list(KINDS),
                    default="linear",
                    tooltip="constant: 1 throughout. window: 1 from start to end, 0 outside. "
                    "linear and cosine: from first to last, straight or smooth. bell and band: by "
                    "noise, whatever the number of steps. points: your own.",
                ),
                _share("start", 0.0, "Where the curve begins to change, for window, linear and "
                       "cosine, as a share of full sampling, 0 to 1: 0 is pure noise."),
                _share("end", 1.0, "Where the curve has arrived, for window, linear and cosine, "
                       "as a share of full sampling, 0 to 1: 1 is the finished picture."),
                _value("first", 0.0, "Value up to start, for linear and cosine"),
                _value("last", 1.0, "Value from end on, for linear and cosine"),
                _noise("center", 1.0, "Where a bell is highest: ratio of noise to signal"),
                io.Float.Input(
                    "width",
                    default=1.2,
                    min=0.05,
                    max=10.0,
                    step=0.05,
                    tooltip="How wide a bell is, in natural logarithms of noise, 0.05 to 10: at "
                    "this distance from its center it has fallen to 0.61.",
                    advanced=True,
                ),
                _noise("low", 0.2, "A band ends where the ratio of noise to signal falls to this"),
                _noise("high", 5.0, "A band begins once the ratio of noise to signal is no "
                       "higher than this"),
                io.String.Input(
                    "points",
                    default=EXAMPLE,
                    multiline=True,
                    tooltip="For points: progress:value pairs, progress rising from 0 to 1, any "
                    "finite values, straight lines between. Commas or lines part them.",
                ),
            ],
            outputs=[
                ScheduleSocket.Output(
                    display_name="schedule", tooltip="Connect it to a modality's schedule."
                ),
                io.Image.Output(display_name="curve", tooltip="The picture, 640 x 360 pixels."),
            ],
            has_intermediate_output=True,
        )  # fmt: skip

    @classmethod
    def execute(
        cls, kind, start, end, first, last, center, width, low, high, points
    ) -> io.NodeOutput:
        pairs = parse_points(points) if kind == "points" else ()
        schedule = Schedule(kind, start, end, first, last, center, width, low, high, pairs)
        image = as_image(draw_schedule(schedule))
        return io.NodeOutput(schedule, image, ui=ui.PreviewImage(image, cls=cls))


def _share(name: str, default: float, tooltip: str) -> io.Input:
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip)


def _value(name: str, default: float, meaning: str) -> io.Input:
    return io.Float.Input(
        name,
        default=default,
        min=-10.0,
        max=10.0,
        step=0.05,
        tooltip=f"{meaning}, no unit, -10 to 10: 0 is no push, 1 the weight as set.",
    )


def _noise(name: str, default: float, meaning: str) -> io.Input:
    return io.Float.Input(
        name,
        default=default,
        min=0.001,
        max=1000.0,
        step=0.01,
        round=0.001,
        tooltip=f"{meaning}, 0.001 to 1000. In a flow it is 1 at half of sampling.",
        advanced=True,
    )
