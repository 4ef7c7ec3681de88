"""Variations of pictures on the embedded model: what stays and what changes, by denoise."""

from collections.abc import Callable
from typing import Any

import torch

from ...embedded.embeddings import style_embedding
from ...embedded.generate import Settings
from ...embedded.model import EmbeddedModel
from ...embedded.prior import EmbeddedPriors
from ...embedded.variations import vary
from ...types import Float, Picture, Tensor
from ..cases import held_out
from ..measures import measure, read
from ..oracle import Oracle
from .shown import Shown
from .tally import Tally, by_group, figures

SEED = 960_000  # of the scenes
SET = 32  # pictures varied together
STEPS = 16
DENOISES = (0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
SHOWN = 6  # pictures of the sheet


def steps(count: int) -> int:
    """How often compare() calls on_step."""
    return len(DENOISES) * -(-count // SET)


@torch.inference_mode()
def compare(
    model: EmbeddedModel,
    priors: EmbeddedPriors,
    oracle: Oracle,
    count: int,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[dict[str, Any], Shown]:
    """Two variations of each of count held-out pictures at each denoise, and some to look at.

    Their style is what comes back from the picture's own image embedding. more: than the oracle
    reads in the picture once the autoencoder had it.
    """
    case = held_out(count, SEED)
    picture, chosen = case.picture, list(range(0, count, 4))[:SHOWN]
    tokens = style_embedding(model.adapters.style, picture).tokens
    tokens = priors.space.tokens(priors.space.embed(tokens))
    decoded = model.autoencoder.decode(model.autoencoder.encode(picture))
    reading = read(oracle, decoded)
    itself = Tally.of(reading, case.truth)
    lines: list[dict[str, Any]] = [
        {
            "name": "the picture, decoded",
            "measures": figures(itself),
            "silhouette": by_group(measure(reading, case.truth)["depth_iou"]),
            "psnr": by_group(psnr(decoded, picture)),
        }
    ]
    rows = [("the pictures", [("", picture[k]) for k in chosen])]
    for denoise in DENOISES:
        made = []
        for start in range(0, count, SET):
            part = slice(start, start + SET)
            made.append(_pair(model, picture[part], tokens[part], start, denoise))
            on_step()
        one, other = (torch.cat(side) for side in zip(*made, strict=True))
        readings = [read(oracle, side) for side in (one, other)]
        tallies = [Tally.of(r, case.truth) for r in readings]
        both = Tally(tallies[0].total + tallies[1].total, tallies[0].count + tallies[1].count)
        outlines = [measure(r, case.truth)["depth_iou"] for r in readings]
        lines.append(
            {
                "name": f"denoise {denoise:g}",
                "denoise": denoise,
                "measures": figures(both),
                "more": figures(both, itself),
                "silhouette": by_group((outlines[0] + outlines[1]) / 2),
                "psnr": by_group((psnr(one, picture) + psnr(other, picture)) / 2),
                "psnr_between": by_group(psnr(one, other)),
            }
        )
        rows.append((f"denoise {denoise:g}", [("", one[k]) for k in chosen]))
    return {"pictures": count, "steps": STEPS, "lines": lines}, rows


def psnr(a: Picture, b: Picture) -> Float[Tensor, " b"]:
    """Peak signal to noise ratio of each pair of pictures, in dB."""
    return -10 * torch.log10((a - b).square().mean((1, 2, 3)).clamp(min=1e-12))


def _pair(
    model: EmbeddedModel, picture: Picture, style: Tensor, start: int, denoise: float
) -> tuple[Tensor, Tensor]:
    """Two variations of each picture, of noise that is the same at every denoise."""

    def one(seed: int) -> Tensor:
        settings = Settings(steps=STEPS, seed=seed, batch=len(picture), denoise=denoise)
        return vary(model, picture, style, settings)

    return one(2 * start), one(2 * start + 1)
