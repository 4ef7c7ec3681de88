"""Example inputs: what a first graph needs, out of the pack's own folder."""

from pathlib import Path

import torch
from comfy_api.latest import io, ui

from ..mm_core.encoders.examples import SCENES, read_example
from .sockets import Keypoints

ASSETS = Path(__file__).absolute().parents[1] / "example_workflows" / "assets"


class ExampleInputs(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_ExampleInputs",
            display_name="Example Inputs",
            category="multimodal/load",
            description="A style picture, a depth map, a pose, a segmentation and a sound of one "
            "scene, to try things out with. They come with this pack: nothing to copy or download.",
            search_aliases=["sample images", "demo inputs", "test picture", "test sound", "mmc"],
            inputs=[
                io.Combo.Input(
                    "scene",
                    options=list(SCENES),
                    default=next(iter(SCENES)),
                    tooltip="Which scene they are of. Use two of these nodes to take the style of "
                    "one scene and the depth of another.",
                )
            ],
            outputs=[
                io.Image.Output(
                    display_name="style",
                    tooltip="Another scene with the same ground, for Style Image Modality.",
                ),
                io.Image.Output(display_name="depth", tooltip="White is near, for Depth Modality."),
                io.Image.Output(
                    display_name="pose", tooltip="An OpenPose skeleton, for Pose Modality."
                ),
                io.Image.Output(
                    display_name="segmentation",
                    tooltip="In the embedded model's palette, for Segmentation Modality.",
                ),
                io.Audio.Output(display_name="sound", tooltip="One note, for Audio Modality."),
                Keypoints.Output(
                    display_name="keypoints", tooltip="The pose as keypoints in pixels."
                ),
                io.String.Output(
                    display_name="text", tooltip="What the scene shows, for Text Modality."
                ),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def execute(cls, scene) -> io.NodeOutput:
        told = read_example(ASSETS, scene)
        pictures = (told.style, told.depth, told.pose, told.segmentation)
        images = [picture.movedim(1, -1) for picture in pictures]
        sound = {"waveform": told.sound.waves, "sample_rate": told.sound.rate}
        shown = ui.PreviewImage(torch.cat(images))
        return io.NodeOutput(*images, sound, told.keypoints, told.text, ui=shown)
