"""Priors: words to image embeddings."""

from comfy_api.latest import io

from ..mm_core.priors.prior import SOLVERS
from .host.prior.sample import Wanted, sample
from .host.say import say
from .sockets import Embedding, Prior, encoder_input


class DiffusionPrior(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Prior",
            display_name="Diffusion Prior",
            category="multimodal/prior",
            description="Words as the embedding of a picture that shows them, for whatever reads "
            "pictures: unCLIP models, Stable Cascade, SDXL's unCLIP Conditioning, image-prompt "
            "adapters. What was made is shown on the node.",
            search_aliases=["unclip", "dalle 2", "text to image embedding", "karlo", "kandinsky"],
            inputs=[
                Prior.Input("prior", tooltip="From Load Prior."),
                io.String.Input(
                    "text",
                    default="",
                    multiline=True,
                    dynamic_prompts=True,
                    tooltip="What the picture shows. Emphasis such as (red:1.2) is read without "
                    "its number.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="Seed of the first embedding, 0 to 2^64 - 1; the next has the next "
                    "seed. The same seed gives the same embedding.",
                ),
                io.Int.Input(
                    "steps",
                    default=25,
                    min=2,
                    max=1000,
                    tooltip="Sampling steps, 2 to 1000. 25 as published; 64 for LAION's. An "
                    "autoregressive prior has steps of its own.",
                ),
                io.Float.Input(
                    "guidance",
                    default=4.0,
                    min=0.0,
                    max=20.0,
                    step=0.1,
                    tooltip="How far to push from the negative text to the text, no unit, 0 to 20. "
                    "1 is the prior alone. 4 as published; 2 is a little better for the embedded "
                    "priors.",
                ),
                io.String.Input(
                    "negative",
                    default="",
                    multiline=True,
                    dynamic_prompts=True,
                    optional=True,
                    tooltip="What to push away from. Empty: from no text. Unused at guidance 1.",
                ),
                io.Int.Input(
                    "count",
                    default=1,
                    min=1,
                    max=64,
                    optional=True,
                    tooltip="How many embeddings, 1 to 64: with seed, seed + 1 and so on, each as "
                    "in a run of its own.",
                ),
                io.Int.Input(
                    "candidates",
                    default=1,
                    min=1,
                    max=16,
                    optional=True,
                    tooltip="Attempts at each embedding, 1 to 16, of which the one nearest to the "
                    "text is kept. 2 in the DALL-E 2 paper. Costs as many times as much.",
                ),
                io.Combo.Input(
                    "solver",
                    options=list(SOLVERS),
                    default=SOLVERS[0],
                    optional=True,
                    advanced=True,
                    tooltip="ancestral as published; ddim for few steps, such as 8, without added "
                    "noise; mean in one step: the mean of all embeddings that fit the text, safe "
                    "and plain. Autoregressive priors have no mean.",
                ),
                io.Clip.Input(
                    "clip",
                    optional=True,
                    tooltip="A CLIP with the prior's text tower and its projection; Load Prior "
                    "says which. That of SDXL serves Kandinsky 2.2's. The embedded priors need "
                    "none.",
                ),
                encoder_input(
                    "text with a projection, CLIPTextModelWithProjection", "this or clip"
                ),
                io.ClipVisionOutput.Input(
                    "like",
                    optional=True,
                    tooltip="Any picture by CLIP Vision Encode, of the prior's own encoder: the "
                    "embeddings get its length. Needed for LAION's prior, whose have length 1.",
                ),
            ],
            outputs=[
                io.ClipVisionOutput.Output(
                    display_name="clip_vision_output",
                    tooltip="For unCLIP Conditioning and other readers of one vector.",
                ),
                Embedding.Output(
                    display_name="embedding",
                    tooltip="For Fuse Embeddings with a fitted block: a token for each embedding; "
                    "those of the embedded model as the 16 tokens that its style input reads.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls, prior, text, seed, steps, guidance, clip=None, encoder=None, like=None, **further
    ) -> io.NodeOutput:
        wanted = Wanted(text, seed, steps, guidance, **further)
        made = sample(prior, wanted, clip, encoder, like)
        say(made.about)
        return io.NodeOutput(made.output, made.embedding)
