"""Pairs of a text and the image embedding that belongs to it, from files or from scenes."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from ...embedded.embeddings import style_embedding
from ...embedded.model import EmbeddedModel
from ...embedded.scenes.dataset import make_scenes
from ...embedded.scenes.ground import style_caption
from ...errors import InputError
from ...priors.prior import PriorText
from ...types import Float, Int, Tensor
from ...weights.load import read_foreign, read_shapes

NAMES = ("image_embeds", "text_embeds", "text_tokens", "text_mask")
EMPTY = "empty.safetensors"
CHUNK = 256
CAPTIONS = 6  # for each scene

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Pairs:
    """n texts with their image embeddings. empty: the text "", where it is known."""

    text: PriorText
    vectors: Float[Tensor, "n d"]
    empty: PriorText | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    def rows(self, index: Int[Tensor, " k"]) -> tuple[PriorText, Tensor]:
        """The chosen ones."""
        t = self.text
        chosen = PriorText(t.pooled[index], t.tokens[index], t.mask[index])
        return chosen, self.vectors[index]


def read_pairs(folder: Path) -> Pairs:
    """Every .safetensors file of a folder, in the order of their names.

    Each has image_embeds (n, d), text_embeds (n, d), text_tokens (n, words, d) and text_mask
    (n, words); empty.safetensors has the last three of the text "", with n = 1, and is needed for
    guidance. The mask is of truth values or of whole numbers 0 and 1, all else of finite floats.
    Raises InputError for a folder without such files or with one pair alone, and for what does
    not fit.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give one with files of {', '.join(NAMES)}")
    paths = sorted(p for p in folder.glob("*.safetensors") if p.name != EMPTY)
    if not paths:
        raise InputError(f"{folder} has no .safetensors files; needed some of {', '.join(NAMES)}")
    parts = [_read(p, NAMES) for p in paths]
    widths = {(p["text_tokens"].shape[1:], p["image_embeds"].shape[1]) for p in parts}
    if len(widths) > 1:
        raise InputError(
            f"the files of {folder} have different widths or numbers of tokens; "
            "give those of one encoder"
        )
    joined = {n: torch.cat([p[n] for p in parts]) for n in NAMES}
    if (found := len(joined["image_embeds"])) < 2:  # one alone has no deviation
        raise InputError(f"{folder}: needed 2 or more pairs, found {found}; encode more")
    empty = None
    if (folder / EMPTY).is_file():
        empty = _text(_read(folder / EMPTY, NAMES[1:]))
        if empty.tokens.shape[1:] != joined["text_tokens"].shape[1:] or len(empty) != 1:
            raise InputError(f"{folder / EMPTY} does not fit the pairs; encode one text alike")
    return Pairs(_text(joined), joined["image_embeds"], empty)


def _text(tensors: Mapping[str, Tensor]) -> PriorText:
    return PriorText(tensors["text_embeds"], tensors["text_tokens"], tensors["text_mask"])


def _read(path: Path, names: tuple[str, ...]) -> dict[str, Tensor]:
    shapes = read_shapes(path)
    if missing := [n for n in names if n not in shapes]:
        raise InputError(f"{path} lacks {missing[0]}; needed {', '.join(names)}")
    wrong = [n for n in names if len(shapes[n]) != (3 if n == "text_tokens" else 2)]
    width = shapes["text_embeds"][-1]
    wrong += [n for n in names if n != "text_mask" and shapes[n][-1] != width]
    wrong += [n for n in names if shapes[n][0] != shapes["text_embeds"][0]]
    if wrong or shapes["text_mask"] != shapes["text_tokens"][:2]:
        name = wrong[0] if wrong else "text_mask"
        raise InputError(
            f"{path}: {name} has the shape {shapes[name]}, which does not fit "
            f"{', '.join(f'{n} {shapes[n]}' for n in names if n != name)}"
        )
    tensors = read_foreign(path)
    read = {"text_mask": _mask}
    return {n: read.get(n, _finite)(tensors[n], f"{path}: {n}") for n in names}


def _mask(tensor: Tensor, source: str) -> Tensor:
    if tensor.is_floating_point() or tensor.is_complex():
        raise InputError(
            f"{source} is of {_kind(tensor)}; needed truth values or whole numbers 0 and 1"
        )
    if ((tensor != 0) & (tensor != 1)).any():
        raise InputError(f"{source} has numbers other than 0 and 1; needed 1 where a token is read")
    return tensor.bool()


def _finite(tensor: Tensor, source: str) -> Tensor:
    if not tensor.is_floating_point():
        raise InputError(
            f"{source} is of {_kind(tensor)}; needed floats, as the encoder gives them"
        )
    if not torch.isfinite(numbers := tensor.float()).all():
        raise InputError(
            f"{source} has numbers that are not finite in float32; encode these pairs again"
        )
    return numbers


def _kind(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


@dataclass(frozen=True)
class StyledScenes:
    """n scenes as the style encoder's tokens, and CAPTIONS captions each."""

    tokens: Float[Tensor, "n t d"]
    captions: list[list[str]]

    def __len__(self) -> int:
        return len(self.captions)


@torch.no_grad()
def make_styled(
    model: EmbeddedModel, count: int, seed: int, progress: Progress = lambda n: None
) -> StyledScenes:
    """count scenes, a multiple of 4; chunk k has seed `seed + k`, so that a run can be told on."""
    tokens, captions = [], []
    for k, start in enumerate(range(0, count, CHUNK)):
        scenes = make_scenes(min(CHUNK, count - start), seed + k)
        words = random.Random(seed + k)
        small = scenes.small.float() / 255
        tokens.append(style_embedding(model.adapters.style, small).tokens)
        captions += [
            [style_caption(scenes.content, scenes.style, i, words) for _ in range(CAPTIONS)]
            for i in range(len(scenes))
        ]
        progress(min(count, start + CHUNK))
    return StyledScenes(torch.cat(tokens), captions)
