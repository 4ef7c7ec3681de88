"""The modes without weights."""

import pytest

from mm_core.errors import InputError
from mm_core.fusion.modes import MODES


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_names_what_it_joined_and_refuses_nothing_at_all(three, mode):
    assert MODES[mode](three).embedding.modality == "text+style+audio"
    with pytest.raises(InputError, match="nothing to fuse"):
        MODES[mode]([])


def test_only_the_mode_of_whole_rows_changes_the_length_to_77(three):
    lengths = {name: mode(three).embedding.mask.shape[1] for name, mode in MODES.items()}
    assert lengths == {"concat": 12, "concat_77": 77, "average": 5, "norm_average": 5}
