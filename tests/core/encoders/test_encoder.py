import pytest
import torch

from mm_core.encoders.encoder import Encoding, Sound, no_tick


def test_an_encoding_says_nothing_unless_told():
    said = Encoding()
    assert {said.embedding, said.vector, said.depth, said.control, said.masks} == {None}
    assert said.labels == ()


@pytest.mark.parametrize(
    "wrong",
    [{"control": torch.zeros(1, 1, 4, 4)}, {"depth": torch.zeros(1, 4, 4)}, {"masks": 3}],
)
def test_shapes_are_checked_where_tests_run(wrong):
    with pytest.raises(TypeError):
        Encoding(**wrong)


def test_a_sound_has_channels():
    assert Sound(torch.zeros(1, 2, 100), 8000).waves.shape[1] == 2
    with pytest.raises(TypeError):
        Sound(torch.zeros(100), 8000)


def test_no_tick_lets_everything_go_on():
    assert no_tick(1, 2) is None
