"""What a prior is, which text tower it needs and who reads what it gives, in words."""

import math
from pathlib import Path
from typing import Any

from ..weights.header import Header
from ..weights.load import named
from .autoregressive import CodeTransformer
from .dalle2 import NEWEST, RULES, SAVED_BY, Dalle2Network
from .layout import PUBLISHED
from .load import Network, read_network, share_dropped
from .space import CLIP_BIGG, CLIP_H, CLIP_L, EMBEDDED, Space, readers_of

UNDROPPED = "no text was dropped in training: use guidance 1, or give a negative text"
SAID = 8  # numbers of a recipe, or of what was measured
LOAD = "Load Encoder with a CLIPTextModelWithProjection folder"
TOWERS = {
    CLIP_L: f"connect encoder, {LOAD} of openai/clip-vit-large-patch14; or clip, from a text "
    "encoder file with text_projection in it, which that of SD1.5 and the CLIP-L of SDXL lack",
    CLIP_BIGG: "connect clip, the CLIP of any SDXL checkpoint, which holds that very text tower; "
    f"or encoder, {LOAD} of OpenCLIP ViT-bigG/14",
    CLIP_H: "connect clip, the CLIP of an SD2 checkpoint with text_projection in it; "
    f"or encoder, {LOAD} of OpenCLIP ViT-H/14",
    EMBEDDED: "connect nothing: it ships with this pack",
}
"""How the text tower of each space gets to a prior in ComfyUI."""


def about_file(path: Path, heads: int | None = None, trained_with: str | None = None) -> str:
    """The same for a file, from its header alone. Raises WeightsError for one that is no prior."""
    network, space, header = read_network(path, heads, trained_with)
    return about_network(named(path), network, space, header)


def about_network(name: str, network: Network, space: Space, header: Header | None = None) -> str:
    """What it is, its text tower, its readers, and how it was trained. The first line is enough to
    tell it from others."""
    lines = [
        f"{name}: {_kind(network, space, header)}, {_sized(network)}",
        f"gives image embeddings of {space}{_length(network)}",
        f"reads text through the text tower of {space.name}: {how_to_connect(space)}",
        f"read by {', '.join(r.name for r in readers_of(space)) or 'no model that is known here'}",
    ]
    if isinstance(network, Dalle2Network) and network.sizes.nulls != "all":
        lines.append(_dated(network))
    if header is not None:
        said = ("trained", _trained(header)), ("measured", _plain(header.figures))
        lines += [f"{what}: {words}" for what, words in said if words]
        if share_dropped(header) == 0:
            lines.append(UNDROPPED)
    return "\n".join(lines)


def _dated(network: Dalle2Network) -> str:
    """By which rule a file without all learned nulls is computed, and which others it may need."""
    saved_by, fitting = SAVED_BY[network.sizes.nulls]
    version = next(name for name, rule in RULES.items() if rule == network.sizes.rule)
    if version != NEWEST:
        return f"computed as DALLE2-pytorch {version} computes"
    others = " or ".join(name for name in fitting if name != version)
    return (
        f"computed as DALLE2-pytorch {version} computes, though {saved_by} saved it: attention "
        "changed while tensors kept their names, and the file does not tell what it was trained "
        f"with; set trained_with to {others} if you know, or if its answers are no good"
    )


def _trained(header: Header) -> str:
    """What of the recipe concerns this prior. A recipe tells of networks beside it, too."""
    kind = str(header.config.get("prior"))
    stage, done = header.recipe.get(kind), header.recipe.get("steps_run")
    if not isinstance(stage, dict):
        return _plain(header.recipe)
    steps = done.get(kind) if isinstance(done, dict) else None
    told = {"steps": steps if steps is not None else stage.get("steps")}
    told |= {n: stage.get(n) for n in ("batch", "rate")}
    told |= {"pairs": header.recipe.get("pairs"), "drop": share_dropped(header)}
    told |= {"seed": header.recipe.get("seed")}
    return _plain(told)


def _plain(table: dict[str, Any]) -> str:
    """The numbers and short words in a table, SAID of them at most."""
    kept = [f"{k} {v}" for k, v in table.items() if isinstance(v, (str, int, float))]
    return ", ".join([k for k in kept if len(k) <= 60 and k.isprintable()][:SAID])


def how_to_connect(space: Space) -> str:
    """What to connect in ComfyUI, so that a text is read as priors of the space read it."""
    return TOWERS.get(space) or f"connect encoder, {LOAD} of the CLIP that the prior is of"


def _kind(network: Network, space: Space, header: Header | None) -> str:
    if isinstance(network, Dalle2Network):
        return "LAION's DALL-E 2 prior"
    if isinstance(network, CodeTransformer):
        return "autoregressive prior"
    known = PUBLISHED.get(space) if header is None else None
    return f"diffusion prior, as {known}" if known else "diffusion prior"


def _sized(network: Network) -> str:
    sizes = network.sizes
    count = sum(math.prod(t.shape) for t in network.state_dict().values())
    return f"{sizes.layers} layers, {sizes.tokens} tokens of text, {count / 1e6:.1f} M numbers"


def _length(network: Network) -> str:
    if isinstance(network, Dalle2Network):
        return ", of length 1: connect like, a picture's embedding whose length they are to have"
    return ", as long as the encoder's"
