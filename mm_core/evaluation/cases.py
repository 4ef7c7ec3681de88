"""Held-out scenes as inputs with known answers."""

from collections.abc import Collection
from dataclasses import dataclass

import torch

from ..embedded.conditions import Encoded, EncodedMap, EncodedStream, EncodedText
from ..embedded.encode import one_hot_segments
from ..embedded.model import MODALITIES, EmbeddedModel
from ..embedded.scenes.dataset import Scenes, make_scenes, style_partner, take
from ..embedded.scenes.sounds import SAMPLE_RATE, SECONDS, sound
from ..embedded.vocabulary import tokenize
from ..encoders.audio import log_mel
from ..types import Float, Int, Tensor, Tokens
from .measures import Truth

HELD_OUT_SEED = 900_000  # training scenes have seeds far below


@dataclass(frozen=True)
class Case:
    """n scenes, raw inputs as a user would give them, and the truth."""

    prompts: list[str]
    style_picture: Float[Tensor, "n 3 64 64"]
    depth: Float[Tensor, "n 1 64 64"]
    skeleton: Float[Tensor, "n 3 64 64"]
    segment: Int[Tensor, "n 64 64"]
    wave: Float[Tensor, "n t"]
    truth: Truth
    picture: Float[Tensor, "n 3 128 128"]

    def __len__(self) -> int:
        return len(self.prompts)


def held_out(count: int, seed: int = HELD_OUT_SEED) -> Case:
    """count scenes that training never saw. Style pictures are other scenes of the same style."""
    scenes = make_scenes(-(-count // 4) * 4, seed)
    partner = style_partner(torch.arange(len(scenes)))[:count]
    small = scenes.small[partner]
    return _case(take(scenes, torch.arange(count)), small, seed)


def _case(scenes: Scenes, style_picture: Tensor, seed: int) -> Case:
    rng = torch.Generator().manual_seed(seed + 1)
    silence = torch.zeros(int(SAMPLE_RATE * SECONDS))
    pairs = zip(scenes.content.note.tolist(), scenes.content.timbre.tolist(), strict=True)
    waves = [sound(n, t, rng) if n >= 0 else silence for n, t in pairs]
    return Case(
        prompts=[c[0] for c in scenes.captions],
        style_picture=style_picture.float() / 255,
        depth=scenes.depth.float() / 255,
        skeleton=scenes.skeleton.float() / 255,
        segment=scenes.segment.long(),
        wave=torch.stack(waves),
        truth=Truth(
            scenes.content, scenes.style, scenes.depth.float() / 255, scenes.segment.long()
        ),
        picture=scenes.picture.float() / 255,
    )


@torch.inference_mode()
def encode_case(
    model: EmbeddedModel, case: Case, names: Collection[str] = MODALITIES
) -> dict[str, Encoded]:
    """The chosen inputs, encoded. Pose and sound are silent where a scene has none."""
    content, adapters = case.truth.content, model.adapters
    segments = one_hot_segments(case.segment)
    maps = {"depth": case.depth, "pose": case.skeleton, "segmentation": segments}
    shown = content.has[:, 2].float()[:, None, None, None]
    out: dict[str, Encoded] = {}
    for name in (n for n in MODALITIES if n in names):
        if name == "text":
            tokens = torch.tensor([tokenize(p) for p in case.prompts])
            out[name] = EncodedText(model.text(tokens), null_text(model))
        elif name == "style":
            out[name] = EncodedStream("style", adapters.style(case.style_picture))
        elif name == "audio":
            tokens = adapters.audio(log_mel(case.wave))
            out[name] = EncodedStream("audio", tokens, (content.note >= 0).float())
        else:
            fine, coarse = adapters.spatial[name](maps[name])
            present = shown if name == "pose" else 1.0
            out[name] = EncodedMap(fine * present, coarse * present)
    return out


@torch.inference_mode()
def null_text(model: EmbeddedModel) -> Tokens:
    """(1, 24, 128): the empty prompt, which is what "no text" means."""
    return model.text(torch.tensor([tokenize("")]))
