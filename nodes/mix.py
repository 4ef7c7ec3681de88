"""Arithmetic with image embeddings."""

from comfy_api.latest import io

from .host.prior.mix import MODES, mix_embeddings, said_of
from .host.say import say
from .sockets import encoder_input, growing


class MixEmbeddings(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_MixEmbeddings",
            display_name="Mix Image Embeddings",
            category="multimodal/prior",
            description="Several image embeddings of one encoder or prior as one: between two, "
            "their mean or sum, one without the other, one as long as the other, or one moved "
            "from words to other words.",
            search_aliases=["interpolate images", "slerp", "blend clip vision", "text diff"],
            inputs=[
                growing(
                    "embeddings",
                    io.ClipVisionOutput.Input(
                        "embedding",
                        optional=True,
                        tooltip="From Diffusion Prior or CLIP Vision Encode; any of these sockets. "
                        "More appear when all are used, up to 16. All of one encoder; as many "
                        "images in each, or one.",
                    ),
                ),
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default="slerp",
                    tooltip="lerp: on the straight line between two. slerp: on the circle, which "
                    "keeps lengths; the usual choice. average, sum: of any number, with weights. "
                    "subtract: the first without the second, as long as it was. match length: the "
                    "first, as long as the second is on average. text difference: the only one, "
                    "turned from what instead_of says to what text says.",
                ),
                io.Float.Input(
                    "amount",
                    default=0.5,
                    min=-1.0,
                    max=2.0,
                    step=0.05,
                    tooltip="No unit, -1 to 2. lerp and slerp: 0 is the first, 1 the second, "
                    "outside goes on beyond them. subtract: how much of the second is taken away. "
                    "text difference: the share of the angle, 0.25 to 0.5 is usual. The other "
                    "modes do not read it.",
                ),
                io.String.Input(
                    "weights",
                    default="",
                    optional=True,
                    tooltip="For average and sum: a number for each embedding, such as 2, 1, -0.5; "
                    "no unit, finite. average divides by their sum. Empty: 1 for each.",
                ),
                io.String.Input(
                    "text",
                    default="",
                    multiline=True,
                    dynamic_prompts=True,
                    optional=True,
                    tooltip="For text difference: what the picture is to show, such as a photo of "
                    "a dog in the snow.",
                ),
                io.String.Input(
                    "instead_of",
                    default="",
                    multiline=True,
                    dynamic_prompts=True,
                    optional=True,
                    tooltip="For text difference: what it shows now, said alike, such as a photo "
                    "of a dog. Empty: from no text.",
                ),
                io.Clip.Input(
                    "clip",
                    optional=True,
                    tooltip="For text difference: a CLIP with the text tower of the embeddings' "
                    "encoder and its projection; SDXL's for OpenCLIP bigG. The embedded model's "
                    "need none.",
                ),
                encoder_input(
                    "text with a projection, CLIPTextModelWithProjection", "this or clip"
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
    def execute(cls, mode, amount, embeddings=None, weights="", **said) -> io.NodeOutput:
        made, about = mix_embeddings(embeddings, mode, amount, weights, said_of(said))
        say(about)
        return io.NodeOutput(made, about)
