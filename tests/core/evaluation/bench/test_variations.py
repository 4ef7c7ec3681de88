"""What stays of a picture in its variations, by denoise."""

import math

import pytest
import torch

from mm_core.embedded.prior import load_priors
from mm_core.embedded.variations import DENOISE
from mm_core.evaluation.bench import variations
from mm_core.evaluation.bench.variations import compare, psnr, steps


@pytest.fixture(scope="module")
def found(shipped, oracle):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(variations, "STEPS", 8)
        patch.setattr(variations, "DENOISES", (DENOISE, 0.9))
        ticks = []
        lines, rows = compare(shipped, load_priors()[0], oracle, 8, lambda: ticks.append(1))
        return lines["lines"], rows, len(ticks), steps(8)


def test_the_ratio_is_its_formula(noise):
    a, b = noise(2, 3, 4, 4), noise(2, 3, 4, 4)
    expected = [
        10 * math.log10(1 / float(((x - y) ** 2).mean())) for x, y in zip(a, b, strict=True)
    ]
    assert psnr(a, b).tolist() == pytest.approx(expected, rel=1e-5)
    assert torch.isfinite(psnr(a, a)).all()


def test_more_denoise_keeps_less(found):
    itself, little, most = found[0]
    for name in ("silhouette", "psnr"):
        assert itself[name]["value"] > little[name]["value"] > most[name]["value"]
    for name in ("text_color", "text_shape"):
        assert little["measures"][name]["value"] > most["measures"][name]["value"]
        gain = most["measures"][name]["value"] - itself["measures"][name]["value"]
        assert most["more"][name]["value"] == pytest.approx(gain)
    assert little["psnr_between"]["value"] > most["psnr_between"]["value"]


def test_every_denoise_is_shown_and_told(found):
    lines, rows, ticks, expected = found
    assert [line.get("denoise") for line in lines] == [None, DENOISE, 0.9]
    assert [(name, len(tiles)) for name, tiles in rows[1:]] == [
        (f"denoise {DENOISE:g}", 2),
        ("denoise 0.9", 2),
    ]
    assert ticks == expected == 2


def test_at_the_default_the_picture_is_another_and_shows_the_same(found):
    _, default, _ = found[0]
    assert default["measures"]["text_color"]["value"] > 0.9
    assert default["measures"]["text_relation"]["value"] > 0.9
    assert default["measures"]["style_family"]["value"] > 0.9
    assert default["silhouette"]["value"] > 0.65
    for name in ("psnr", "psnr_between"):
        assert 20 < default[name]["value"] < 32
