"""Sounds -> tokens and a vector, by CLAP, Wav2Vec2 or Whisper."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import InputError
from ..types import Float, ModalityEmbedding, Tensor
from .encoder import Encoding, Kind, Sound, Tick, no_tick
from .family import Family
from .folder import half_config, load_model, load_processor
from .forward import forward, side_by_side
from .waves import SHORTEST, resample

SPEECH_WINDOW = 30.0  # seconds of speech heard at once; attention costs their square


@dataclass(frozen=True)
class Hearing:
    """How a network hears a window of sound.

    window: samples at the extractor's rate. least: samples below which it hears nothing. read:
    takes what it gives and how many samples were sound; says its tokens (1, n, d) and what stands
    for the window, (1, d).
    """

    window: int
    least: int
    read: Callable[[Any, int], tuple[Tensor, Tensor]]


@dataclass(eq=False)
class SoundEncoder:
    """Sounds at any rate and with any channels, in windows as long as the network hears at once.

    Channels are averaged. Tokens follow each other in time; the vector is the windows' mean, each
    counted by its length.
    """

    name: str
    family: str
    width: int | None
    module: nn.Module
    extractor: Any
    hearing: Hearing
    kind: Kind = "audio"
    needs: str = "a sound"

    def __call__(self, given: Any, tick: Tick = no_tick) -> Encoding:
        """given: a Sound of at least 0.05 s and what the family needs. A tick for each window."""
        waves = self._waves(given)
        parts = _windows(waves.shape[1], self.hearing)
        tokens, vectors = [], []
        for i, wave in enumerate(waves):
            heard = []
            for j, (start, end) in enumerate(parts):
                heard.append(self._hear(wave[start:end]))
                tick(i * len(parts) + j + 1, len(waves) * len(parts))
            lengths = [end - start for start, end in parts]
            tokens.append(torch.cat([said for said, _ in heard], 1).float())
            means = [v.float() * n for (_, v), n in zip(heard, lengths, strict=True)]
            vectors.append(torch.stack(means).sum(0) / sum(lengths) if len(means) > 1
                           else heard[0][1].float())  # fmt: skip
        said, mask = side_by_side(tokens)
        return Encoding(ModalityEmbedding("audio", said, mask), torch.cat(vectors))

    def _waves(self, sound: Any) -> Float[Tensor, "b t"]:
        """Mono, at the extractor's rate, on the CPU."""
        if not isinstance(sound, Sound):
            raise InputError(f"found {type(sound).__name__}, needed {self.needs}")
        rate, length = self.extractor.sampling_rate, sound.waves.shape[-1]
        least = max(ceil(SHORTEST * rate), self.hearing.least)
        if sound.rate <= 0 or not sound.waves.numel() or round(length * rate / sound.rate) < least:
            raise InputError(
                f"the sound has {length} samples at {sound.rate} Hz, which is too short for "
                f"{self.family}; needed at least {least / rate:g} s"
            )
        if not torch.isfinite(sound.waves).all():
            raise InputError("the sound holds values that are no numbers; make it again")
        return resample(sound.waves.detach().cpu().float().mean(1), sound.rate, rate)

    def _hear(self, wave: Float[Tensor, " t"]) -> tuple[Tensor, Tensor]:
        inputs = self.extractor(
            wave.numpy(), sampling_rate=self.extractor.sampling_rate, return_tensors="pt"
        )
        return self.hearing.read(forward(self.module, dict(inputs)), len(wave))


def _windows(length: int, hearing: Hearing) -> list[tuple[int, int]]:
    """Starts and ends. A rest too short to be heard is heard with the window before it."""
    starts = list(range(0, length, hearing.window))
    if len(starts) > 1 and length - starts[-1] < hearing.least:
        starts.pop()
    return list(zip(starts, [*starts[1:], length], strict=True))


def _open_clap(folder: Path, family: Family, dtype: torch.dtype) -> SoundEncoder:
    options = half_config(folder, "ClapConfig", "audio_config")
    module = load_model(family.class_name, folder, dtype, family.since, **options)
    extractor = load_processor("sound", folder)

    def read(out: Any, length: int) -> tuple[Tensor, Tensor]:
        return out.last_hidden_state.flatten(2).transpose(1, 2), out.audio_embeds

    hearing = Hearing(extractor.nb_max_samples, 1, read)
    config: Any = module.config
    return SoundEncoder(folder.name, family.name, config.hidden_size, module, extractor, hearing)


def _open_wav2vec2(folder: Path, family: Family, dtype: torch.dtype) -> SoundEncoder:
    module = load_model(family.class_name, folder, dtype, family.since)
    extractor = load_processor("sound", folder)
    config: Any = module.config
    window = round(SPEECH_WINDOW * extractor.sampling_rate)
    hearing = Hearing(window, receptive_field(config.conv_kernel, config.conv_stride), _mean)
    return SoundEncoder(folder.name, family.name, config.hidden_size, module, extractor, hearing)


def _open_whisper(folder: Path, family: Family, dtype: torch.dtype) -> SoundEncoder:
    whole: Any = load_model(family.class_name, folder, dtype, family.since)
    module = whole.get_encoder()  # the half that writes is let go
    extractor = load_processor("sound", folder)
    frame = 2 * extractor.hop_length  # samples; its second convolution halves the frames

    def read(out: Any, length: int) -> tuple[Tensor, Tensor]:
        return _mean(out, length, frame)

    hearing = Hearing(extractor.n_samples, 1, read)
    return SoundEncoder(folder.name, family.name, module.config.d_model, module, extractor, hearing)


def receptive_field(kernels: list[int], strides: list[int]) -> int:
    """Samples that one frame of a stack of convolutions is made from."""
    length = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        length = (length - 1) * stride + kernel
    return length


def _mean(out: Any, length: int, frame: int = 1) -> tuple[Tensor, Tensor]:
    tokens = out.last_hidden_state[:, : ceil(length / frame)]
    return tokens, tokens.float().mean(1)


FAMILIES = (
    Family(
        name="CLAP",
        kind="audio",
        model_types=("clap", "clap_audio_model"),
        class_name="ClapAudioModelWithProjection",
        gives="64 tokens, by pitch and then by time, for each 10 s; a projected vector",
        unit="last layer, normed; vector not L2-normalised, in the space of CLAP texts",
        good_for="what kind of sound it is: music, animals, weather",
        load=_open_clap,
    ),
    Family(
        name="Wav2Vec2",
        kind="audio",
        model_types=("wav2vec2",),
        class_name="Wav2Vec2Model",
        gives="a token for each 20 ms; their mean as a vector",
        unit="last layer, normed; vector not L2-normalised",
        good_for="speech: sounds of it, rhythm, who speaks",
        load=_open_wav2vec2,
    ),
    Family(
        name="Whisper encoder",
        kind="audio",
        model_types=("whisper",),
        class_name="WhisperModel",
        gives="a token for each 20 ms of sound, silence that fills up 30 s left out; their mean as "
        "a vector",
        unit="last layer, normed; vector not L2-normalised",
        good_for="speech in many languages: what is said",
        load=_open_whisper,
    ),
)
