"""Arithmetic with image embeddings."""

from comfy_api.latest import io

from .host.prior.mix import MODES, mix_embeddings
from .host.say import say

MOST_EMBEDDINGS = 16


class MixEmbeddings(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_MixEmbeddings",
            display_name="Mix Image Embeddings",
            category="multimodal/prior",
            description="Several image embeddings of one encoder or prior as one: between two, "
            "their mean or sum, one without the other, or one as long as the other.",
            search_aliases=["interpolate images", "slerp", "blend clip vision", "unclip mix"],
            inputs=[
                io.Autogrow.Input(
                    "embeddings",
                    template=io.Autogrow.TemplatePrefix(
                        io.ClipVisionOutput.Input(
                            "embedding",
                            tooltip="From Diffusion Prior or CLIP Vision Encode. A new socket "
                            "appears when this one is used, up to 16. All of one encoder; as many "
                            "images in each, or one.",
                        ),
                        prefix="embedding",
                        min=1,
                        max=MOST_EMBEDDINGS,
                    ),
                ),
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default="slerp",
                    tooltip="lerp: on the straight line between two. slerp: on the circle, which "
                    "keeps lengths; the usual choice. average, sum: of any number, with weights. "
                    "subtract: the first without the second, as long as it was. match length: the "
                    "first, as long as the second is on average.",
                ),
                io.Float.Input(
                    "amount",
                    default=0.5,
                    min=-1.0,
                    max=2.0,
                    step=0.05,
                    tooltip="No unit, -1 to 2. lerp and slerp: 0 is the first, 1 the second, "
                    "outside goes on beyond them. subtract: how much of the second is taken away. "
                    "The other modes do not read it.",
                ),
                io.String.Input(
                    "weights",
                    default="",
                    optional=True,
                    tooltip="For average and sum: a number for each embedding, such as 2, 1, -0.5; "
                    "no unit, finite. average divides by their sum. Empty: 1 for each.",
                ),
            ],
            outputs=[
                io.ClipVisionOutput.Output(
                    display_name="clip_vision_output",
                    tooltip="One vector for each image; what reads tokens cannot read it.",
                ),
                io.String.Output(
                    display_name="about", tooltip="What was done, and how near it is to each."
                ),
            ],
        )

    @classmethod
    def execute(cls, mode, amount, embeddings=None, weights="") -> io.NodeOutput:
        made, about = mix_embeddings(embeddings, mode, amount, weights)
        say(about)
        return io.NodeOutput(made, about)
