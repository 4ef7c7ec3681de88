"""Our socket types, and the inputs that several nodes share."""

from comfy_api.latest import io

from ..mm_core.embedded.defaults import WEIGHTS
from ..mm_core.guidance.compositions import COMPOSITIONS, DEFAULT
from ..mm_core.guidance.corrections import CORRECTIONS
from ..mm_core.guidance.speed import SPEEDS

Modality = io.Custom("MMC_MODALITY")
Adapters = io.Custom("MMC_ADAPTERS")
Report = io.Custom("MMC_REPORT")
Schedule = io.Custom("MMC_SCHEDULE")
Keypoints = io.Custom("POSE_KEYPOINT")

MOST_MODALITIES = 16


def strength_inputs(modality: str) -> list[io.Input]:
    """Guidance weight and window of one modality."""
    return [
        io.Float.Input(
            "weight",
            default=WEIGHTS[modality],
            min=-20.0,
            max=20.0,
            step=0.05,
            tooltip="Guidance weight, no unit, -20 to 20. 0 ignores this input and costs nothing, "
            "1 is what the model does by itself, more pushes towards it, below 0 pushes away.",
        ),
        io.Float.Input(
            "start",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip="Where the input begins to act, as a share of full sampling: 0 is pure noise, "
            "1 the finished picture. With denoise 0.6, sampling begins at about 0.4.",
            advanced=True,
        ),
        io.Float.Input(
            "end",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip="Where the input stops acting, as a share of full sampling, 0 to 1. Equal to "
            "start, it never acts and costs nothing.",
            advanced=True,
        ),
    ]


def adapters_input() -> io.Input:
    """The embedded model's encoders, for one modality node."""
    return Adapters.Input(
        "adapters",
        optional=True,
        tooltip="Encoders of the embedded model, from Load Embedded Model.",
    )


def guidance_inputs() -> list[io.Input]:
    """What guider and sampler have in common."""
    return [
        io.Model.Input("model", tooltip="The diffusion model. It is cloned, never changed."),
        io.Autogrow.Input(
            "modalities",
            template=io.Autogrow.TemplatePrefix(
                Modality.Input(
                    "modality",
                    tooltip="An input with its weight. A new socket appears when this one is "
                    "used, up to 16. The order matters to chained and nested only.",
                ),
                prefix="modality",
                min=1,
                max=MOST_MODALITIES,
            ),
        ),
        io.Combo.Input(
            "composition",
            options=list(COMPOSITIONS),
            default=DEFAULT,
            tooltip="How the inputs' pushes add up. leave_one_out: what each adds beyond all "
            "others; the best default. independent: each on its own. chained: each given those "
            "before it. nested: the first scales all the rest. joint: one push, mean weight. "
            "weighted_negative: about leave_one_out, at two rows. perp_neg: negative weights push "
            "away only across the others.",
        ),
        io.Float.Input(
            "cfg",
            display_name="overall push",
            default=1.0,
            min=0.0,
            max=10.0,
            step=0.05,
            tooltip="Multiplies how far every weight is from 1, no unit, 0 to 10. 1 leaves the "
            "weights as set, 0 makes them all 1, which is no guidance except in independent.",
        ),
    ]


def effort_inputs() -> list[io.Input]:
    """How much exactness is given up for fewer rows, and what keeps strong pushes in bounds."""
    return [
        io.Combo.Input(
            "speed",
            options=list(SPEEDS),
            default="exact",
            optional=True,
            tooltip="How many rows are run. exact: all at every step. balanced: kept while the "
            "result stays within about 1 %. fast: one mixed row for all inputs, at every second "
            "step; leave_one_out only. draft: a single row, weights as strengths.",
        ),
        io.Combo.Input(
            "correction",
            options=list(CORRECTIONS),
            default="none",
            optional=True,
            tooltip="Ways to tame strong weights; which helps depends on the inputs. rescale: "
            "contrast of the unguided prediction, 0.7 of the way. renorm: no longer than it. apg: "
            "drops what only saturates. zero_star: for flow models, fits the two sides first.",
        ),
    ]
