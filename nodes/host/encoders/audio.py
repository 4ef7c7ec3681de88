"""Sound as an embedding."""

from collections.abc import Mapping

import torch

from ....mm_core.encoders.encoder import Sound
from ....mm_core.encoders.waves import SHORTEST
from ....mm_core.errors import InputError
from .chosen import needs, the_one
from .embedding import HostEmbedding, of_tokens
from .watch import watcher


def encode_audio(
    audio=None, audio_encoder=None, audio_encoder_output=None, encoder=None
) -> HostEmbedding:
    source = the_one(
        "audio", audio_encoder=audio_encoder, encoder=encoder,
        audio_encoder_output=audio_encoder_output,
    )  # fmt: skip
    if source == "audio_encoder_output":
        return _of_output(audio_encoder_output)
    sound = checked(needs("audio", audio, "audio", "a sound"))
    if source == "encoder":
        return encoder.of_kind("audio").embedded(sound)
    watcher()(0, 1)
    return _of_output(audio_encoder.encode_audio(sound.waves, sound.rate))


def checked(audio) -> Sound:
    """AUDIO, or InputError for what nobody could hear."""
    waves, rate = audio["waveform"].float(), int(audio["sample_rate"])
    waves = waves[None] if waves.ndim == 2 else waves
    if waves.ndim != 3 or 0 in waves.shape[:2]:
        raise InputError(
            f"the audio input is {tuple(waves.shape)}; needed (sounds, channels, samples)"
        )
    if rate <= 0 or waves.shape[-1] < SHORTEST * rate:
        raise InputError(
            f"the audio input: {waves.shape[-1]} samples at {rate} Hz are too few to hear; needed "
            f"at least {SHORTEST} s"
        )
    if not bool(torch.isfinite(waves).all()):
        raise InputError("the audio input has samples that are not finite numbers; load it again")
    return Sound(waves, rate)


def _of_output(output) -> HostEmbedding:
    tokens = output.get("encoded_audio") if isinstance(output, Mapping) else None
    if not isinstance(tokens, torch.Tensor) or tokens.ndim != 3:
        raise InputError(
            "audio_encoder_output holds no tokens of (sounds, tokens, width) as encoded_audio: "
            "connect Audio Encoder Encode, or audio and an encoder"
        )
    return HostEmbedding(of_tokens("audio", tokens), vector=tokens.float().mean(1))
