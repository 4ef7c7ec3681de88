"""Fuse: several embeddings as one CONDITIONING."""

from comfy_api.latest import io

from ..mm_core.fusion.modes import MODES
from .host.fusion.fuse import fuse
from .host.say import say
from .sockets import Embedding, Fusion, growing, refuse_beyond


class FuseEmbeddings(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Fuse",
            display_name="Fuse Embeddings",
            category="multimodal/fuse",
            description="Several embeddings as one CONDITIONING, for any sampler: side by side, "
            "averaged, or by a fitted block. What was done is shown on the node.",
            search_aliases=["concat conditioning", "merge embeddings", "cross attention", "film"],
            inputs=[
                growing(
                    "embeddings",
                    Embedding.Input(
                        "embedding",
                        optional=True,
                        tooltip="From an Encode node; any of these sockets. More appear when all "
                        "are used, up to 16. The order matters to concat only.",
                    ),
                ),
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default="concat",
                    tooltip="Without weights, for embeddings of one width. concat: tokens side by "
                    "side. concat_77: the same in rows of 77, which share a UNet call with a "
                    "prompt. average: token by token. norm_average: of their directions. A fusion "
                    "block, where connected, decides in its place.",
                ),
                Fusion.Input(
                    "fusion",
                    optional=True,
                    tooltip="A fitted block, from Load Fusion, in place of mode.",
                ),
                io.Conditioning.Input(
                    "conditioning",
                    optional=True,
                    tooltip="A prompt, fused first, under the name text. Its pooled output, size, "
                    "area and all else are kept.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="conditioning", tooltip="For any sampler of the model it fits."
                ),
                Embedding.Output(display_name="embedding", tooltip="The same, to be fused again."),
                io.String.Output(
                    display_name="about", tooltip="What was fused, how loud, how well it agrees."
                ),
            ],
        )

    @classmethod
    def execute(
        cls, mode, embeddings=None, fusion=None, conditioning=None, **beyond
    ) -> io.NodeOutput:
        refuse_beyond(beyond, "fuse the first in one node, and what comes out with the others")
        made, embedding, about = fuse(embeddings, mode, fusion, conditioning)
        say(about)
        return io.NodeOutput(made, embedding, about)
