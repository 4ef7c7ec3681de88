"""Who hears what in an interleaved sequence."""

import pytest
import torch

from mm_core.fusion.sequence import media_before


def plain(kinds, sizes):
    """For each text token the media tokens that it hears; sizes: real tokens of each part."""
    heard, start = [], 0
    current = []
    for kind, size in zip(kinds, sizes, strict=True):
        if kind == "t":
            heard += [list(current)] * 2
        else:
            current = list(range(start, start + size)) if size else current
            start += 2
    return heard, current


@pytest.mark.parametrize(
    "kinds", ["itit", "iit", "tit", "t", "ttitit", "iti", "it", "tiitti"]
)  # fmt: skip
def test_text_hears_the_medium_immediately_before_it(embed, rng, kinds):
    sizes = torch.randint(0, 3, (3, len(kinds)), generator=rng).tolist()
    sequence = [
        embed("text", 3, 2, 4) if kind == "t" else embed("image", 3, 2, 4, [s[k] for s in sizes])
        for k, kind in enumerate(kinds)
    ]
    heard, at_end = media_before(sequence, "text")
    assert heard.shape == (3, 2 * kinds.count("t"), 2 * kinds.count("i"))
    for b in range(3):
        expected, last = plain(kinds, sizes[b])
        assert [row.nonzero()[:, 0].tolist() for row in heard[b]] == expected
        assert at_end[b].nonzero()[:, 0].tolist() == last


def test_text_before_any_medium_hears_nothing(embed):
    heard, _ = media_before([embed("text", 1, 2, 4), embed("image", 1, 3, 4)], "text")
    assert not heard.any()
