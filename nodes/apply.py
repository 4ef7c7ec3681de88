"""A modality for graphs that sample with other nodes."""

from comfy_api.latest import io

from .host.ip_adapter.plain import apply_prompt
from .sockets import Modality


class ApplyImagePrompt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_ApplyImagePrompt",
            display_name="Apply Image Prompt",
            category="multimodal/guide",
            description="An image prompt for native samplers: positive hears it, negative does "
            "not. There is one cfg for both; Multimodal KSampler has a weight for each.",
            search_aliases=["ipadapter apply", "image prompt"],
            inputs=[
                io.Model.Input("model", tooltip="A model that the adapter fits. It is cloned."),
                io.Conditioning.Input("positive", tooltip="Hears the picture."),
                io.Conditioning.Input(
                    "negative",
                    tooltip="Hears what stands for no picture, or nothing; as the modality has it.",
                ),
                Modality.Input(
                    "modality",
                    tooltip="From Style Image Modality with an ip_adapter. Its strength, layers, "
                    "pictures and attention mask count; weight, window and schedule do not.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model"),
                io.Conditioning.Output(display_name="positive"),
                io.Conditioning.Output(display_name="negative"),
            ],
        )

    @classmethod
    def execute(cls, model, positive, negative, modality) -> io.NodeOutput:
        return io.NodeOutput(*apply_prompt(model, positive, negative, modality))
