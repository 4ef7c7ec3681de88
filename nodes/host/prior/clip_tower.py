"""The text towers inside a CLIP of the host's, read as CLIP was trained: last layer, projected."""

import logging
from pathlib import Path
from typing import Any

import torch

from ....mm_core.errors import InputError, MMError
from ....mm_core.priors.about import how_to_connect
from ....mm_core.priors.space import Space
from ....mm_core.weights.load import read_shapes

_log = logging.getLogger(__name__)
TOWERS = ("clip_l", "clip_h", "clip_g")
PROJECTION = ("text_projection", "text_projection.weight")  # how names of it end


def hear(
    space: Space, words: str, clip: Any, tokens: int, who: str
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """The projected sentence (1, d), tokens (1, n, e), and how many of them, from the first, are
    real: begin, words, end. At most `tokens`; what is beyond is left out and logged. who: needs it.

    Raises InputError where the clip holds no text tower of the space, or one without projection.
    """
    name = _tower_of(space, clip, who)
    _check_projection(space, clip, name)
    section = getattr(clip.cond_stage_model, name)
    numbers = _numbers(clip, name, section.special_tokens, words, tokens)
    clip.load_model()
    # The transformer itself: the section would give another layer, and keep what it was asked for.
    network = section.transformer
    places = network.text_model.embeddings.position_embedding.weight.shape[0]
    filled = numbers + [numbers[-1]] * (places - len(numbers))  # not seen: attention is causal
    given = torch.tensor([filled], device=clip.patcher.load_device)
    last, _, projected, _ = network(given, num_tokens=[len(numbers)], dtype=torch.float32)
    return projected, last[:, :tokens], len(numbers)


def _tower_of(space: Space, clip: Any, who: str) -> str:
    """Its name. A projection is as wide as the space."""
    found = {
        name: section.transformer.text_projection.in_features
        for name in TOWERS
        if hasattr(section := getattr(clip.cond_stage_model, name, None), "transformer")
    }
    for name, width in found.items():
        if width == space.width:
            return name
    held = " and ".join(f"{n} of width {w}" for n, w in found.items()) or "no text tower of a CLIP"
    raise InputError(
        f"{who} cannot read text through this clip, which holds {held}: {how_to_connect(space)}"
    )


def _check_projection(space: Space, clip: Any, name: str) -> None:
    """InputError where the projection was never loaded: the host then keeps whatever it found in
    memory, or 0, or 1 on the diagonal."""
    weight = getattr(clip.cond_stage_model, name).transformer.text_projection.weight
    if not (_in_files(clip, space.width) and _is_projection(weight)):
        raise InputError(
            f"the {name} of this clip has no text_projection, without which it says nothing of "
            f"{space}: {how_to_connect(space)}"
        )


def _in_files(clip: Any, width: int) -> bool:
    """Whether the files that a CLIP came from have a projection of this width, or are unknown."""
    remembered = getattr(clip.patcher, "cached_patcher_init", None)
    paths = remembered[1][0] if remembered and remembered[1] else ()
    try:
        files = [read_shapes(Path(p)) for p in ([paths] if isinstance(paths, str) else paths)]
    except (MMError, TypeError):
        return True
    return not files or any(
        name.endswith(PROJECTION) and shape == (width, width)
        for shapes in files
        for name, shape in shapes.items()
    )


def _is_projection(weight: Any) -> bool:
    """Whether a matrix may be one that was trained."""
    if weight is None or weight.is_meta:
        return False
    rows = weight.detach().to("cpu", torch.float32)
    length = rows.norm(dim=1)
    return bool(
        torch.isfinite(rows).all()
        and length.min() > 1e-3
        and length.max() < 1e3
        and not torch.equal(rows, torch.eye(*rows.shape))
    )


def _numbers(clip: Any, name: str, special: dict, words: str, tokens: int) -> list[int]:
    """Begin, the words' numbers, end. Learned vectors among them are left out."""
    sections = clip.tokenize(words)[name.removeprefix("clip_")]
    start, end = special["start"], special["end"]
    found, vectors = [], 0
    for section in sections:
        for number, *_ in section[1:]:
            if isinstance(number, torch.Tensor):
                vectors += 1
            elif number == end:
                break
            else:
                found.append(int(number))
    if vectors:
        _log.warning("priors read words; %d vectors of embedding: are left out", vectors)
    if len(found) > tokens - 2:
        _log.warning(
            "the prior reads %d tokens; the last %d of the text are not heard",
            tokens, len(found) - (tokens - 2),
        )  # fmt: skip
    return [start, *found[: tokens - 2], end]
