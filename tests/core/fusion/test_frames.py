"""Frames of a video and their time."""

import pytest
import torch

from mm_core.errors import InputError
from mm_core.fusion.frames import frames_of, in_time, time_rows


def test_a_video_is_cut_into_its_frames(embed):
    video = embed("video", 2, 6, 4, (6, 4))
    frames = frames_of(video, 3)
    assert [e.tokens.shape for e in frames] == [(2, 2, 4)] * 3
    assert torch.equal(torch.cat([e.tokens for e in frames], 1), video.tokens)
    assert [e.mask[1].tolist() for e in frames] == [[True, True], [True, True], [False, False]]


@pytest.mark.parametrize("count", [4, 0])
def test_tokens_that_cannot_be_shared_out_are_refused(embed, count):
    with pytest.raises(InputError, match=f"video has 6 tokens, which are not {count} equal frames"):
        frames_of(embed("video", 1, 6, 4), count)


def test_the_table_is_read_from_its_start_and_stretched_where_it_is_too_short():
    table = torch.tensor([[0.0, 3.0], [1.0, 0.0], [2.0, 6.0]])
    assert torch.equal(time_rows(table, 2), table[:2])
    assert torch.equal(time_rows(table, 3), table)
    expected = [[0.0, 3.0], [0.5, 1.5], [1.0, 0.0], [1.5, 3.0], [2.0, 6.0]]
    torch.testing.assert_close(time_rows(table, 5), torch.tensor(expected))


def test_each_modality_has_its_own_time(embed):
    given = [embed("a", 1, 2, 2), embed("b", 1, 2, 2), embed("a", 1, 2, 2, (1,))]
    found = in_time(given, torch.tensor([[1.0, 1.0], [5.0, 5.0]]))
    added = [
        (f.tokens - g.tokens)[0, 0, 0].round().item() for f, g in zip(found, given, strict=True)
    ]
    assert added == [1.0, 1.0, 5.0]
    assert not found[2].tokens[0, 1].any()
