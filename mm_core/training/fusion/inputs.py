"""Scenes as embeddings of the embedded model, made once and read many times."""

from dataclasses import dataclass

import torch

from ...embedded.embeddings import picture_embedding, style_embedding, text_embedding
from ...embedded.model import EmbeddedModel
from ...embedded.scenes.content import Content
from ...embedded.scenes.dataset import make_scenes, style_partner, take
from ...embedded.scenes.style import Style
from ...types import Int, ModalityEmbedding, Tensor

CHUNK = 128


@dataclass(frozen=True)
class Inputs:
    """n scenes. text says everything but the style; style is of another scene that shares it;
    picture is the scene itself."""

    text: ModalityEmbedding
    style: ModalityEmbedding
    picture: ModalityEmbedding
    content: Content
    look: Style
    captions: list[str]

    def __len__(self) -> int:
        return len(self.captions)


@torch.no_grad()
def make_inputs(model: EmbeddedModel, count: int, seed: int) -> Inputs:
    """count scenes of one seed, a multiple of 4."""
    scenes = make_scenes(count, seed)
    captions = [c[0] for c in scenes.captions]
    partner = style_partner(torch.arange(count))
    chunks = torch.arange(count).split(CHUNK)
    text = [text_embedding(model.text, [captions[i] for i in c]) for c in chunks]
    small = [scenes.small[partner[c]].float() / 255 for c in chunks]
    style = [style_embedding(model.adapters.style, p) for p in small]
    large = [scenes.picture[c].float() / 255 for c in chunks]
    picture = [picture_embedding(model.autoencoder, p) for p in large]
    return Inputs(
        _joined(text), _joined(style), _joined(picture), scenes.content, scenes.style, captions
    )


def rows(inputs: Inputs, index: Int[Tensor, " k"]) -> Inputs:
    """The chosen scenes."""

    def cut(e: ModalityEmbedding) -> ModalityEmbedding:
        return ModalityEmbedding(e.modality, e.tokens[index], e.mask[index])

    return Inputs(
        cut(inputs.text),
        cut(inputs.style),
        cut(inputs.picture),
        take(inputs.content, index),
        take(inputs.look, index),
        [inputs.captions[i] for i in index.tolist()],
    )


def with_own_captions(inputs: Inputs, count: int) -> Inputs:
    """The first `count` scenes no two of which have the same caption: who finds another scene that
    its words fit as well has made no mistake."""
    first = {caption: i for i, caption in reversed(list(enumerate(inputs.captions)))}
    index = sorted(first.values())[:count]
    if len(index) < count:
        raise ValueError(f"{len(inputs)} scenes have {len(index)} captions; needed {count}")
    return rows(inputs, torch.tensor(index))


def batch_of(inputs: Inputs, size: int, step: int) -> Inputs:
    """Random scenes, no two alike, at most as many as there are; the same for the same step."""
    rng = torch.Generator().manual_seed(step)
    return rows(inputs, torch.randperm(len(inputs), generator=rng)[:size])


def _joined(parts: list[ModalityEmbedding]) -> ModalityEmbedding:
    return ModalityEmbedding(
        parts[0].modality, torch.cat([p.tokens for p in parts]), torch.cat([p.mask for p in parts])
    )
