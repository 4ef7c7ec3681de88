"""Which class each pixel shows, against the plain way and maps drawn by hand."""

import pytest
import torch
import torch.nn.functional as F

from mm_core.encoders import class_map
from mm_core.encoders.class_map import (
    check_room,
    class_masks,
    contenders,
    enlarged_classes,
    query_scores,
)
from mm_core.errors import InputError


@pytest.mark.parametrize("size", [(40, 30), (5, 6), (3, 4), (10, 200)])
def test_class_after_class_is_all_classes_at_once(noise, monkeypatch, size):
    monkeypatch.setattr(class_map, "AT_ONCE", 1)
    scores = noise(1, 7, 5, 6)
    large = F.interpolate(scores, size, mode="bilinear", align_corners=False)
    assert torch.equal(enlarged_classes(scores, *size), large.argmax(1))


def test_a_class_below_another_one_everywhere_is_not_even_looked_at(noise):
    scores = noise(1, 6, 8, 9).cumsum(-1) / 9
    scores[:, 3] -= 50
    scores[:, 5] = scores[:, 1] - 0.01  # nearly as high, and still never the highest
    found = contenders(scores)
    assert 3 not in found
    winners = F.interpolate(scores, (80, 90), mode="bilinear").argmax(1).unique().tolist()
    assert set(winners) <= set(found)


def test_the_highest_score_wins_on_each_side():
    scores = torch.zeros(1, 3, 2, 2)
    scores[:, 1, :, 0] = 1
    scores[:, 2, :, 1] = 1
    found = enlarged_classes(scores, 4, 8)
    assert found[0].tolist() == [[1] * 4 + [2] * 4] * 4


def test_scores_of_queries_add_up_over_queries():
    # Two queries: the first surely class 0 and everywhere, the second class 1 on the left only;
    # the last class is nothing.
    big = 50.0
    classes = torch.tensor([[[big, 0.0, 0.0], [0.0, big, 0.0]]])
    masks = torch.tensor([[[[0.0, 0.0]], [[big, -big]]]])
    expected = torch.tensor([[[[0.5, 0.5]], [[1.0, 0.0]]]])
    torch.testing.assert_close(query_scores(classes, masks), expected)


def test_masks_divide_the_picture_among_the_classes_it_shows():
    classes = torch.tensor([[[0, 0], [4, 7]], [[4, 4], [4, 4]]])
    masks, labels = class_masks(classes, {0: "wall", 4: "sky"})
    assert labels == ("wall", "sky", "class 7")
    assert torch.equal(masks.sum(1), torch.ones(2, 2, 2))
    assert masks[0, 1].tolist() == [[0, 0], [1, 0]]
    assert masks[1].flatten(1).sum(1).tolist() == [0, 4, 0]


def test_only_the_classes_asked_for_have_masks():
    classes = torch.tensor([[[0, 0], [4, 7]]])
    names = {0: "wall", 4: "sky", 5: "tree"}
    masks, labels = class_masks(classes, names, only=("sky", "tree"))
    assert labels == ("sky", "tree")
    assert masks.tolist() == [[[[0, 0], [1, 0]], [[0, 0], [0, 0]]]]
    with pytest.raises(InputError, match="no class 'sea'; needed one of the model's 3: wall, sky"):
        class_masks(classes, names, only=("sea",))


def test_masks_beyond_all_memory_are_refused_before_they_are_made():
    check_room(40, 4000, 5000)
    with pytest.raises(InputError, match=r"60 masks of 5000 x 4000 pixels, 4.5 GiB; needed"):
        check_room(60, 4000, 5000)
