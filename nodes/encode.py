"""Encode nodes: an input as MMC_EMBEDDING. Those that draw maps are in maps.py."""

from comfy_api.latest import io

from .host.encoders.audio import encode_audio
from .host.encoders.image import READ, TOKENS, VECTOR, encode_image
from .host.encoders.text import encode_text
from .host.encoders.video import READ_VIDEO, encode_video
from .sockets import Embedding, encoder_input, name_input, vision_input


class EncodeText(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_EncodeText",
            display_name="Encode Text",
            category="multimodal/encode",
            description="Words as an embedding, by a CLIP of ComfyUI's, tokens and pooled output, "
            "or by a text encoder from Load Encoder.",
            search_aliases=["text embedding", "clip text", "t5"],
            inputs=[
                io.String.Input(
                    "text",
                    default="",
                    multiline=True,
                    dynamic_prompts=True,
                    tooltip="What is said. A CLIP reads weights such as (red:1.2), too.",
                ),
                io.Clip.Input(
                    "clip",
                    optional=True,
                    tooltip="Text encoder that fits the model. Connect this or encoder.",
                ),
                encoder_input("text", "this or clip"),
                name_input("text"),
            ],
            outputs=[Embedding.Output(display_name="embedding")],
        )

    @classmethod
    def execute(cls, text, clip=None, encoder=None, name="") -> io.NodeOutput:
        return io.NodeOutput(encode_text(text, clip, encoder).renamed(name))


class EncodeImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_EncodeImage",
            display_name="Encode Image",
            category="multimodal/encode",
            description="Pictures as an embedding, by a CLIP vision model or by an image encoder "
            "from Load Encoder.",
            search_aliases=["image embedding", "clip vision", "dino", "siglip"],
            inputs=[
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="Pictures of any size. Not needed with clip_vision_output.",
                ),
                vision_input("this, encoder or clip_vision_output"),
                encoder_input("image", "this, clip_vision or clip_vision_output"),
                io.ClipVisionOutput.Input(
                    "clip_vision_output",
                    optional=True,
                    tooltip="A picture that CLIP Vision Encode has read already.",
                ),
                _read_input(READ, TOKENS),
                io.Combo.Input(
                    "crop",
                    options=["center", "none"],
                    default="center",
                    optional=True,
                    advanced=True,
                    tooltip="For clip_vision: the central square, or the whole picture squeezed "
                    "into one.",
                ),
                io.Boolean.Input(
                    "together",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="All pictures as one input, their tokens side by side. Off: one for "
                    "each picture of the batch.",
                ),
                name_input("image"),
            ],
            outputs=[Embedding.Output(display_name="embedding")],
        )

    @classmethod
    def execute(
        cls, image=None, clip_vision=None, encoder=None, clip_vision_output=None, read=TOKENS,
        crop="center", together=False, name="",
    ) -> io.NodeOutput:  # fmt: skip
        made = encode_image(
            image, clip_vision, clip_vision_output, encoder, read, crop == "center", together
        )
        return io.NodeOutput(made.renamed(name))


class EncodeAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_EncodeAudio",
            display_name="Encode Audio",
            category="multimodal/encode",
            description="Sound as an embedding, by an audio encoder of ComfyUI's or one from Load "
            "Encoder.",
            search_aliases=["audio embedding", "clap", "wav2vec", "whisper"],
            inputs=[
                io.Audio.Input(
                    "audio",
                    optional=True,
                    tooltip="Sound of any sample rate and number of channels, at least 0.05 s. "
                    "Not needed with audio_encoder_output.",
                ),
                io.AudioEncoder.Input(
                    "audio_encoder",
                    optional=True,
                    tooltip="From Load Audio Encoder. Connect this, encoder or "
                    "audio_encoder_output.",
                ),
                encoder_input("audio", "this, audio_encoder or audio_encoder_output"),
                io.AudioEncoderOutput.Input(
                    "audio_encoder_output",
                    optional=True,
                    tooltip="A sound that Audio Encoder Encode has read already.",
                ),
                name_input("audio"),
            ],
            outputs=[Embedding.Output(display_name="embedding")],
        )

    @classmethod
    def execute(
        cls, audio=None, audio_encoder=None, encoder=None, audio_encoder_output=None, name=""
    ) -> io.NodeOutput:
        made = encode_audio(audio, audio_encoder, audio_encoder_output, encoder)
        return io.NodeOutput(made.renamed(name))


class EncodeVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_EncodeVideo",
            display_name="Encode Video",
            category="multimodal/encode",
            description="The frames of a video as one embedding: by a video encoder from Load "
            "Encoder, or frame by frame by one of pictures.",
            search_aliases=["video embedding", "videomae", "frames"],
            inputs=[
                io.Image.Input("frames", tooltip="Frames in order, as a batch of pictures."),
                vision_input("this or encoder; it reads frame by frame"),
                encoder_input("video or image", "this or clip_vision"),
                io.Int.Input(
                    "most_frames",
                    default=0,
                    min=0,
                    max=4096,
                    optional=True,
                    tooltip="How many frames at most, spread evenly, are read, 0 to 4096; 0 is all "
                    "of them.",
                ),
                _read_input(READ_VIDEO, VECTOR),
                name_input("video"),
            ],
            outputs=[Embedding.Output(display_name="embedding")],
        )

    @classmethod
    def execute(
        cls, frames, clip_vision=None, encoder=None, most_frames=0, read=VECTOR, name=""
    ) -> io.NodeOutput:
        made = encode_video(frames, clip_vision, encoder, most_frames, read)
        return io.NodeOutput(made.renamed(name))


def _read_input(options, default: str) -> io.Input:
    return io.Combo.Input(
        "read",
        options=list(options),
        default=default,
        optional=True,
        tooltip="What of a picture is read: its tokens (with CLIP vision those before the last "
        "layer), the tokens after the last layer, or all of it as one vector. CLIP and DINOv2 give "
        "all; through clip_vision, SigLIP gives no vector and DINOv3 only the last two.",
    )
