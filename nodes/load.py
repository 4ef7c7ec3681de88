"""Loaders: files to models."""

from comfy_api.latest import io

from .host.embedded import load_embedded_model
from .sockets import Adapters


class LoadEmbedded(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_LoadEmbedded",
            display_name="Load Embedded Model",
            category="multimodal/load",
            description="A small diffusion model that ships with this pack: 128 x 128 pixels, "
            "text, style, depth, pose, segmentation and sound. Nothing to download. MODEL, CLIP "
            "and VAE work with ComfyUI's own nodes.",
            search_aliases=["tiny model", "test model", "offline model", "mmc"],
            inputs=[],
            outputs=[
                io.Model.Output(display_name="model"),
                io.Clip.Output(display_name="clip"),
                io.Vae.Output(display_name="vae"),
                Adapters.Output(display_name="adapters"),
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(*load_embedded_model())
