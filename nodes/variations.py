"""Image Variations: a picture to pictures like it, in one node."""

from comfy_api.latest import io

from .host.prior.variations import Asked, Source, Words, make_variations
from .sockets import Adapters, IPAdapter, sampling_inputs

MOST_VARIATIONS = 64


class Variations(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Variations",
            display_name="Image Variations",
            category="multimodal/prior",
            description="Pictures that show what a picture shows, by what its embedding holds: on "
            "an unCLIP checkpoint or SDXL, with an IP-Adapter, or on the embedded model.",
            search_aliases=["unclip", "revision", "image to variations", "reimagine", "dalle 2"],
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="An unCLIP checkpoint's model, SDXL, Stable Cascade stage C, the model "
                    "that ip_adapter fits, or the embedded one. It is cloned.",
                ),
                io.Int.Input(
                    "count",
                    default=4,
                    min=1,
                    max=MOST_VARIATIONS,
                    tooltip="Variations, 1 to 64, made in one batch.",
                ),
                *_picture_inputs(),
                *sampling_inputs(
                    seed="Seed of the starting noise and of variety, 0 to 2^64 - 1. The images are "
                    "one batch, as KSampler draws it: the second is not the first of the next "
                    "seed.",
                    denoise="Below 1, with the encoded picture as latent_image, the composition "
                    "stays: 0.5 to 0.8 is usual, 0.3 to 0.5 on the embedded model.",
                    latent="An empty latent of the size wanted; or, with denoise below 1, the "
                    "encoded picture. One image, or as many as count.",
                ),
                *_reader_inputs(),
                *_word_inputs(),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="count images; decode them."),
                io.ClipVisionOutput.Output(
                    display_name="clip_vision_output",
                    tooltip="What they were made of: one vector for all, or one for each. The "
                    "noise that unCLIP models and SDXL add by themselves is not in it.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls, model, count, weight, variety, seed, steps, sampler_name, scheduler, denoise,
        latent_image, image=None, clip_vision_output=None, clip_vision=None, ip_adapter=None,
        adapters=None, positive=None, negative=None, text_weight=1.0, strength=1.0,
    ) -> io.NodeOutput:  # fmt: skip
        source = Source(image, clip_vision_output, clip_vision, ip_adapter, adapters)
        words = Words(positive, negative, text_weight)
        asked = Asked(count, weight, variety, strength, seed)
        sampling = {
            "steps": steps, "sampler_name": sampler_name, "scheduler": scheduler,
            "denoise": denoise,
        }  # fmt: skip
        return io.NodeOutput(*make_variations(model, source, words, asked, latent_image, sampling))


def _picture_inputs() -> list[io.Input]:
    return [
        io.Image.Input(
            "image",
            optional=True,
            tooltip="The picture; its central square is read. One, or as many as count, but for "
            "unCLIP models. Connect this or clip_vision_output.",
        ),
        io.ClipVisionOutput.Input(
            "clip_vision_output",
            optional=True,
            tooltip="In place of image: what CLIP Vision Encode, Diffusion Prior or Mix Image "
            "Embeddings made.",
        ),
        io.Float.Input(
            "weight",
            default=4.0,
            min=-20.0,
            max=20.0,
            step=0.05,
            tooltip="Guidance weight of the picture, no unit, -20 to 20. 1 is what the model does "
            "by itself, more pushes towards the picture, 0 ignores it. 3 to 8 is usual.",
        ),
        io.Float.Input(
            "variety",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip="How freely the picture is taken, as a share of the noise levels of an unCLIP "
            "model, 0 to 1: 0 as near as its embedding allows, 0.3 loosely, 1 not at all. Not for "
            "adapters that read tokens.",
        ),
    ]


def _reader_inputs() -> list[io.Input]:
    return [
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="Encodes image: the unCLIP checkpoint's own, or the one that ip_adapter or "
            "SDXL needs. Not needed with clip_vision_output, nor on the embedded model.",
        ),
        IPAdapter.Input(
            "ip_adapter",
            optional=True,
            tooltip="From Load IP-Adapter, for models that read no image embedding by themselves.",
        ),
        Adapters.Input(
            "adapters",
            optional=True,
            tooltip="From Load Embedded Model, for the embedded model.",
        ),
        io.Float.Input(
            "strength",
            default=1.0,
            min=0.0,
            max=5.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="How loud the picture is where it is heard, no unit, 0 to 5: strength of "
            "unCLIPConditioning, or of the adapter; 1 on the embedded model.",
        ),
    ]


def _word_inputs() -> list[io.Input]:
    return [
        io.Conditioning.Input(
            "positive",
            optional=True,
            tooltip="Words beside the picture. All models but the embedded one need a prompt; CLIP "
            "Text Encode of an empty text will do.",
        ),
        io.Conditioning.Input(
            "negative",
            optional=True,
            tooltip="What text_weight pushes away from, such as CLIP Text Encode of an empty text. "
            "Not connected: zeros for tokens.",
        ),
        io.Float.Input(
            "text_weight",
            default=1.0,
            min=-20.0,
            max=20.0,
            step=0.05,
            optional=True,
            tooltip="Guidance weight of positive, no unit, -20 to 20. 1 is what the model does by "
            "itself and costs nothing; 4 to 7 makes words count.",
        ),
    ]
