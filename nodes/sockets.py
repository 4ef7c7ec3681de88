"""Our socket types, and the inputs that several nodes share."""

from collections.abc import Iterable
from dataclasses import fields

from comfy_api.latest import io

from ..mm_core.adapters.ip_adapter.scaling import SCALINGS
from ..mm_core.adapters.ip_adapter.weight_types import WEIGHT_TYPES
from ..mm_core.embedded.defaults import WEIGHTS
from ..mm_core.errors import InputError
from ..mm_core.guidance.compositions import COMPOSITIONS, DEFAULT
from ..mm_core.guidance.corrections import CORRECTIONS
from ..mm_core.guidance.speed import SPEEDS
from .host.effects import HostModality, Modalities
from .host.ip_adapter.pictures import CROPS
from .host.ip_adapter.prompt import ABSENT, COMBINE, Style
from .host.make import Choices
from .host.modality import Control, Guidance
from .host.sample import SAMPLERS, SCHEDULERS

Modality = io.Custom("MMC_MODALITY")
Adapters = io.Custom("MMC_ADAPTERS")
IPAdapter = io.Custom("MMC_IPADAPTER")
Report = io.Custom("MMC_REPORT")
Schedule = io.Custom("MMC_SCHEDULE")
Preset = io.Custom("MMC_PRESET")
Keypoints = io.Custom("POSE_KEYPOINT")
Embedding = io.Custom("MMC_EMBEDDING")
Encoder = io.Custom("MMC_ENCODER")
Fusion = io.Custom("MMC_FUSION")
Prior = io.Custom("MMC_PRIOR")

MOST_SOCKETS = 16
ALWAYS_THERE = 5


def growing(name: str, each: io.Input) -> io.Input:
    """Sockets that appear as they are needed: modalities of modality0, modality1 and so on.

    each is optional, so that any of them suffices. When nodes become a subgraph, or a subgraph
    nodes, the editors of ComfyUI 0.20 to 0.33 lose the wires of growing sockets, but for those that
    are always there: all of these save the last.
    """
    template = io.Autogrow.TemplatePrefix(each, prefix=each.id, min=ALWAYS_THERE, max=MOST_SOCKETS)
    return io.Autogrow.Input(name, template=template)


def refuse_beyond(given: Iterable[str], remedy: str) -> None:
    """InputError for inputs that a node does not have: the host hands over a link to any name."""
    for name in sorted(given):
        raise InputError(f"this node has no input {name}: {remedy}")


def before_input() -> io.Input:
    """The inputs before a modality node, on one wire."""
    return Modality.Input(
        "modalities",
        optional=True,
        tooltip="The inputs before this one, from another modality node: they come first, in their "
        "order. Nothing connected: this one is the first.",
    )


def modalities_output() -> io.Output:
    return Modality.Output(
        display_name="modalities",
        tooltip="The inputs before this one, and this one. Connect it to the next modality node, "
        "or to sampler or guider.",
    )


def modalities_after(before: Modalities | None, made: HostModality) -> Modalities:
    """What a modality node gives: those before it, and its own."""
    return (*(before or ()), made)


def strength_inputs(modality: str) -> list[io.Input]:
    """Guidance weight and window of one modality."""
    return [
        io.Float.Input(
            "weight",
            default=WEIGHTS.get(modality, 1.5),
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


def finer_inputs() -> list[io.Input]:
    """What most graphs leave alone; at the end of every modality node."""
    return [
        Schedule.Input(
            "schedule",
            optional=True,
            tooltip="Multiplies the weight's distance from 1 over sampling, from Guidance "
            "Schedule. The input itself stays seen; a weight of 0 ignores it all the while. The "
            "speed draft reads no schedules.",
        ),
        io.Mask.Input(
            "mask",
            optional=True,
            tooltip="Where the weight pushes, 0 to 1: white all of it, black none. Any size; one "
            "mask, or one for each picture. The input itself is still seen everywhere, unless its "
            "weight is 0.",
        ),
        io.String.Input(
            "weights",
            default="",
            optional=True,
            advanced=True,
            tooltip="A weight for each picture of the batch in place of weight, such as 4, 2, 1; "
            "no unit, finite. 0 ignores the input in its picture, as weight does. Empty: weight "
            "for all.",
        ),
        io.String.Input(
            "group",
            default="",
            optional=True,
            advanced=True,
            tooltip="Inputs of one group name are left out together, with their mean weight: one "
            "row for all of them. Empty: on its own.",
        ),
    ]


def control_inputs() -> list[io.Input]:
    """A native ControlNet, for a modality node on a model that is not the embedded one."""
    return [
        io.ControlNet.Input(
            "control_net",
            optional=True,
            tooltip="ControlNet, ControlLoRA or T2I adapter that fits the model. Connect this or "
            "adapters.",
        ),
        io.Vae.Input(
            "vae",
            optional=True,
            tooltip="The checkpoint's VAE, for ControlNets that read latents, such as those of "
            "SD3 and Flux.",
        ),
        io.Float.Input(
            "strength",
            default=1.0,
            min=0.0,
            max=10.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="How strongly the ControlNet acts in the rows that see it, no unit, 0 to 10, "
            "as in Apply ControlNet. weight is how far guidance pushes beyond that.",
        ),
    ]


def image_prompt_inputs() -> list[io.Input]:
    """An IP-Adapter, for the style node on a model that is not the embedded one."""
    return [
        IPAdapter.Input(
            "ip_adapter",
            optional=True,
            tooltip="From Load IP-Adapter; it must fit the model. Connect this or adapters.",
        ),
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="The CLIP vision model that the adapter needs; Load IP-Adapter says which.",
        ),
        io.Float.Input(
            "strength",
            default=1.0,
            min=0.0,
            max=5.0,
            step=0.01,
            optional=True,
            tooltip="How loud the adapter is in the rows that hear it, no unit, 0 to 5; 1 is as "
            "trained. weight is how far guidance pushes beyond that.",
        ),
        io.Combo.Input(
            "weight_type",
            options=list(WEIGHT_TYPES),
            default="linear",
            optional=True,
            tooltip="How strength spreads over the layers. style and composition: only the layers "
            "of a UNet that carry them; precise: pushing away from the other. Flux and SD3.5 know "
            "linear and ease.",
        ),
        io.Combo.Input(
            "combine",
            options=list(COMBINE),
            default="concat",
            optional=True,
            tooltip="Several pictures: all heard at once (concat), one for each picture of the "
            "batch (one each), or as one picture made of their features.",
        ),
        io.Image.Input(
            "negative_image",
            optional=True,
            tooltip="What rows without this input hear in its place: guidance then pushes away "
            "from it. Not connected: see absent.",
        ),
        io.Mask.Input(
            "attention_mask",
            optional=True,
            tooltip="Where the picture is heard at all, 0 to 1. Any size and shape.",
        ),
        io.Combo.Input(
            "absent",
            options=list(ABSENT),
            default="off",
            optional=True,
            advanced=True,
            tooltip="What rows without this input hear: nothing (off), or what the adapter was "
            "trained to take for no picture.",
        ),
        io.Combo.Input(
            "crop",
            options=list(CROPS),
            default="center",
            optional=True,
            advanced=True,
            tooltip="Tall and wide pictures: their central square, the whole on a padded square, "
            "or several squares (tiles).",
        ),
        io.Combo.Input(
            "scaling",
            options=list(SCALINGS),
            default="V only",
            optional=True,
            advanced=True,
            tooltip="What strength multiplies: what is added (V only), or keys and values as well.",
        ),
        io.String.Input(
            "image_weights",
            default="",
            optional=True,
            advanced=True,
            tooltip="A number for each picture that is combined, such as 1, 0.5; no unit, 0 or "
            "more. Empty: all alike.",
        ),
        io.String.Input(
            "layers",
            default="",
            optional=True,
            advanced=True,
            tooltip="place:weight pairs in place of weight_type, such as 3:1, 6:2.5; places 0 to "
            "15 of SD1.5, 0 to 10 of SDXL, blocks from 0 of Flux and SD3.5; others are off.",
        ),
        io.AnyType.Input(
            "identity",
            optional=True,
            tooltip="For FaceID adapters: face embeddings as a tensor of (faces, 512), from a "
            "face recogniser of yours. None comes with this pack.",
        ),
        Encoder.Input(
            "encoder",
            optional=True,
            tooltip="A folder of SigLIP or CLIP, from Load Encoder, in place of clip_vision; for "
            "adapters that need one vector of each picture, such as InstantX's for Flux.",
        ),
        io.ClipVisionOutput.Input(
            "clip_vision_output",
            optional=True,
            tooltip="In place of image: pictures that CLIP Vision Encode has read, or what a prior "
            "made of words. For the embedded model and adapters that read one vector.",
        ),
    ]


def vision_of(given: dict):
    """CLIP_VISION or MMC_ENCODER, taken out of a node's inputs; or None."""
    clip_vision, encoder = given.pop("clip_vision", None), given.pop("encoder", None)
    if clip_vision is not None and encoder is not None:
        raise InputError(
            "the style input has both clip_vision and encoder: connect the one that the adapter "
            "needs; Load IP-Adapter says which"
        )
    return encoder if clip_vision is None else clip_vision


def style_of(given: dict) -> Style:
    """What image_prompt_inputs hand over but adapter and encoder, taken out of a node's inputs."""
    renamed = {"negative": "negative_image", "mask": "attention_mask"}
    found = {}
    for field in fields(Style):
        name = renamed.get(field.name, field.name)
        if name in given:
            found[field.name] = given.pop(name)
    return Style(**found)


def guidance_of(weight, start, end, schedule=None, mask=None, weights="", group="") -> Guidance:
    """What strength_inputs and finer_inputs hand over."""
    return Guidance(weight, start, end, schedule, mask, weights, group)


def control_of(given: dict) -> Control:
    """What control_inputs hand over, taken out of a node's inputs."""
    return Control(
        given.pop("control_net", None), given.pop("vae", None), given.pop("strength", 1.0)
    )


def adapters_input() -> io.Input:
    """The embedded model's encoders, for one modality node."""
    return Adapters.Input(
        "adapters",
        optional=True,
        tooltip="Encoders of the embedded model, from Load Embedded Model.",
    )


def encoder_input(kind: str, others: str) -> io.Input:
    """An encoder of ours. others: what is connected in its place, for the tooltip."""
    return Encoder.Input(
        "encoder",
        optional=True,
        tooltip=f"An encoder of {kind}, from Load Encoder. Connect {others}.",
    )


def vision_input(others: str) -> io.Input:
    return io.ClipVision.Input(
        "clip_vision", optional=True, tooltip=f"From Load CLIP Vision. Connect {others}."
    )


def name_input(default: str) -> io.Input:
    return io.String.Input(
        "name",
        default="",
        optional=True,
        advanced=True,
        tooltip="What a fusion block calls this input, such as style. Empty: " + default + ".",
    )


def guidance_inputs() -> list[io.Input]:
    """What guider and sampler have in common."""
    return [
        io.Model.Input("model", tooltip="The diffusion model. It is cloned, never changed."),
        growing(
            "modalities",
            Modality.Input(
                "modality",
                optional=True,
                tooltip="One input with its weight, or all that are chained on its wire; any of "
                "these sockets. More appear when all are used, up to 16. The order matters to "
                "chained and nested only.",
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


def sampling_inputs(seed: str, denoise: str, latent: str) -> list[io.Input]:
    """KSampler's, with what the node does with them said in words."""
    return [
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=0xFFFFFFFFFFFFFFFF,
            control_after_generate=True,
            tooltip=seed,
        ),
        io.Int.Input(
            "steps",
            default=25,
            min=1,
            max=1000,
            tooltip="Sampling steps, 1 to 1000. 12 to 25 suffice for the embedded model.",
        ),
        io.Combo.Input(
            "sampler_name",
            options=SAMPLERS,
            default="euler",
            tooltip="ComfyUI's sampling algorithm.",
        ),
        io.Combo.Input(
            "scheduler",
            options=SCHEDULERS,
            default="normal",
            tooltip="How noise levels are spread over the steps.",
        ),
        io.Float.Input(
            "denoise",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip=f"Share of the noise that is put in and taken out, 0 to 1. {denoise}",
        ),
        io.Latent.Input("latent_image", tooltip=latent),
    ]


def effort_inputs() -> list[io.Input]:
    """How much exactness is given up for fewer rows, and what keeps strong pushes in bounds."""
    return [
        io.Combo.Input(
            "speed",
            options=list(SPEEDS),
            default="exact",
            optional=True,
            tooltip="How many rows are run. exact: all at every step. balanced: again only "
            "when they have changed, about 2 rows with five inputs. fast: one mixed row "
            "for all inputs, at some steps; leave_one_out only. draft: a single row, weights as "
            "strengths.",
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
        io.Float.Input(
            "overlap",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.05,
            optional=True,
            advanced=True,
            tooltip="How much of what several inputs say alike is discounted, 0 none to 1 all; "
            "for independent, which counts it once for each, and leave_one_out.",
        ),
        Preset.Input(
            "preset",
            optional=True,
            tooltip="Ready weights and composition, from Guidance Preset, in place of those set "
            "on the inputs and here.",
        ),
    ]


def choices_of(
    composition, cfg, speed="exact", correction="none", overlap=0.0, preset=None, **beyond
) -> Choices:
    """What guidance_inputs and effort_inputs hand over, but for model and modalities."""
    refuse_beyond(beyond, "put modality nodes one behind the other, and connect the last")
    return Choices(composition, cfg, speed, correction, overlap, preset)
