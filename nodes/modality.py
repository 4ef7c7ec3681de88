"""Modality nodes: an input, with its weight and window, behind those before it."""

from comfy_api.latest import io

from .host import modality as host
from .sockets import (
    Keypoints,
    adapters_input,
    before_input,
    control_inputs,
    control_of,
    finer_inputs,
    guidance_of,
    image_prompt_inputs,
    modalities_after,
    modalities_output,
    strength_inputs,
    style_of,
    vision_of,
)


class Text(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Text",
            display_name="Text Modality",
            category="multimodal/modality",
            description="A prompt as an input with a guidance weight of its own.",
            search_aliases=["prompt", "cfg", "guidance weight"],
            inputs=[
                before_input(),
                io.Clip.Input("clip", tooltip="Text encoder that fits the model."),
                io.String.Input(
                    "text",
                    default="",
                    multiline=True,
                    dynamic_prompts=True,
                    tooltip="What the picture shows. The embedded model knows a few dozen words; "
                    "an unknown one is named together with the nearest known ones.",
                ),
                *strength_inputs("text"),
                io.String.Input(
                    "negative",
                    default="",
                    multiline=True,
                    optional=True,
                    tooltip="What the text pushes away from. Empty: from no text at all.",
                ),
                *finer_inputs(),
            ],
            outputs=[modalities_output()],
        )

    @classmethod
    def execute(cls, clip, text, modalities=None, negative="", **guidance) -> io.NodeOutput:
        made = host.text(clip, text, negative, guidance_of(**guidance))
        return io.NodeOutput(modalities_after(modalities, made))


class StyleImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_StyleImage",
            display_name="Style Image Modality",
            category="multimodal/modality",
            description="A picture whose texture and colours the result takes on.",
            search_aliases=["image prompt", "style reference", "ip-adapter"],
            inputs=[
                before_input(),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="Style picture of any size; its central square is read. One, or as "
                    "many as the batch has. Connect this or clip_vision_output.",
                ),
                *strength_inputs("style"),
                adapters_input(),
                *finer_inputs(),
                *image_prompt_inputs(),
            ],
            outputs=[modalities_output()],
        )

    @classmethod
    def execute(
        cls, modalities=None, image=None, adapters=None, ip_adapter=None, clip_vision_output=None,
        **given,
    ) -> io.NodeOutput:  # fmt: skip
        vision, look = vision_of(given), style_of(given)
        told = guidance_of(**given)
        made = host.style(adapters, ip_adapter, vision, image, look, told, clip_vision_output)
        return io.NodeOutput(modalities_after(modalities, made))


class Depth(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Depth",
            display_name="Depth Modality",
            category="multimodal/modality",
            description="A depth map that fixes where things are and how near.",
            search_aliases=["depth map", "controlnet depth"],
            inputs=[
                before_input(),
                io.Image.Input(
                    "image",
                    tooltip="Depth map, white is near, black is far. Any size; the embedded "
                    "model reads the central square.",
                ),
                *strength_inputs("depth"),
                adapters_input(),
                *control_inputs(),
                *finer_inputs(),
            ],
            outputs=[modalities_output()],
        )

    @classmethod
    def execute(cls, image, modalities=None, adapters=None, **given) -> io.NodeOutput:
        control = control_of(given)
        made = host.depth(adapters, control, image, guidance_of(**given))
        return io.NodeOutput(modalities_after(modalities, made))


class Pose(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Pose",
            display_name="Pose Modality",
            category="multimodal/modality",
            description="A person's pose, as an OpenPose picture or as keypoints.",
            search_aliases=["openpose", "skeleton", "controlnet pose", "keypoints"],
            inputs=[
                before_input(),
                *strength_inputs("pose"),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="OpenPose skeleton, coloured on black. Any size; the embedded model "
                    "reads the central square. Connect this or keypoints.",
                ),
                Keypoints.Input(
                    "keypoints",
                    optional=True,
                    tooltip="POSE_KEYPOINT of a pose estimator, in pixels or in 0 to 1. Connect "
                    "this or image; the first frame's people are drawn.",
                ),
                adapters_input(),
                *control_inputs(),
                *finer_inputs(),
            ],
            outputs=[modalities_output()],
        )

    @classmethod
    def execute(
        cls, modalities=None, image=None, keypoints=None, adapters=None, **given
    ) -> io.NodeOutput:
        control = control_of(given)
        made = host.pose(adapters, control, image, keypoints, guidance_of(**given))
        return io.NodeOutput(modalities_after(modalities, made))


class Segmentation(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Segmentation",
            display_name="Segmentation Modality",
            category="multimodal/modality",
            description="A coloured map of what is where.",
            search_aliases=["semantic map", "controlnet seg"],
            inputs=[
                before_input(),
                io.Image.Input(
                    "image",
                    tooltip="Segmentation in the model's palette; see this node's help page. Any "
                    "size; the embedded model reads the central square.",
                ),
                *strength_inputs("segmentation"),
                adapters_input(),
                *control_inputs(),
                *finer_inputs(),
            ],
            outputs=[modalities_output()],
        )

    @classmethod
    def execute(cls, image, modalities=None, adapters=None, **given) -> io.NodeOutput:
        control = control_of(given)
        made = host.segmentation(adapters, control, image, guidance_of(**given))
        return io.NodeOutput(modalities_after(modalities, made))


class Audio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Audio",
            display_name="Audio Modality",
            category="multimodal/modality",
            description="A sound that the picture answers to. With the embedded model, pitch and "
            "timbre colour the frame.",
            search_aliases=["sound", "music"],
            inputs=[
                before_input(),
                io.Audio.Input(
                    "audio",
                    tooltip="Sound of any sample rate and number of channels; the first 30 s are "
                    "heard, at least 0.05 s.",
                ),
                *strength_inputs("audio"),
                adapters_input(),
                *finer_inputs(),
            ],
            outputs=[modalities_output()],
        )

    @classmethod
    def execute(cls, audio, modalities=None, adapters=None, **guidance) -> io.NodeOutput:
        made = host.audio(adapters, audio, guidance_of(**guidance))
        return io.NodeOutput(modalities_after(modalities, made))


class Condition(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Condition",
            display_name="Conditioning Modality",
            category="multimodal/modality",
            description="Any CONDITIONING as an input with a guidance weight of its own: a prompt, "
            "or what native nodes added to one - reference latents, Redux, unCLIP, GLIGEN, sound.",
            search_aliases=["redux", "reference latent", "unclip", "gligen", "kontext"],
            inputs=[
                before_input(),
                io.Conditioning.Input(
                    "conditioning", tooltip="The CONDITIONING with this input in it."
                ),
                io.String.Input(
                    "name",
                    default="condition",
                    tooltip="What reports and presets call this input, such as reference.",
                ),
                *strength_inputs("condition"),
                io.Conditioning.Input(
                    "absent",
                    optional=True,
                    tooltip="The same CONDITIONING without this input. What was before the native "
                    "nodes: only what they added is this input. Another prompt: that is what it "
                    "pushes away from. Not connected: zeros for tokens, as Zero Out makes.",
                ),
                *finer_inputs(),
            ],
            outputs=[modalities_output()],
        )

    @classmethod
    def execute(cls, conditioning, name, modalities=None, absent=None, **guidance) -> io.NodeOutput:
        made = host.condition(conditioning, absent, name, guidance_of(**guidance))
        return io.NodeOutput(modalities_after(modalities, made))
