"""Loaders: files to models."""

from comfy_api.latest import io

from .host.embedded import load_embedded_model
from .host.fusion import files as fusion_files
from .host.ip_adapter import files
from .host.say import say
from .sockets import Adapters, Fusion, IPAdapter


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


class LoadIPAdapter(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_LoadIPAdapter",
            display_name="Load IP-Adapter",
            category="multimodal/load",
            description="An image-prompt adapter for SD1.5, SDXL or Kolors. It says which CLIP "
            "vision it needs and which model it fits.",
            search_aliases=["ipadapter", "image prompt", "faceid", "style adapter"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=files.names(),
                    tooltip="A file of models/ipadapter, .safetensors. Choosing a .bin says how to "
                    "convert it.",
                )
            ],
            outputs=[
                IPAdapter.Output(
                    display_name="ip_adapter", tooltip="Connect it to Style Image Modality."
                ),
                io.String.Output(
                    display_name="about", tooltip="Family, model and the encoder it needs."
                ),
            ],
        )

    @classmethod
    def execute(cls, file) -> io.NodeOutput:
        adapter = files.load(file)
        return io.NodeOutput(adapter, str(adapter.layout))


class LoadFusion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_LoadFusion",
            display_name="Load Fusion",
            category="multimodal/load",
            description="A fusion block that was fitted to embeddings of given widths. It says "
            "which inputs it takes and whether it was trained.",
            search_aliases=["fusion block", "film", "flamingo", "resampler", "adapter"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=fusion_files.names(),
                    tooltip="A file of models/mmc_fusion, .safetensors.",
                )
            ],
            outputs=[
                Fusion.Output(display_name="fusion", tooltip="Connect it to Fuse Embeddings."),
                io.String.Output(
                    display_name="about", tooltip="Kind, inputs, and how it was trained."
                ),
            ],
        )

    @classmethod
    def execute(cls, file) -> io.NodeOutput:
        fusion = fusion_files.load(file)
        say(fusion.about)
        return io.NodeOutput(fusion, fusion.about)
