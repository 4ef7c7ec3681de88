"""What a block is told: order, widths. Refusals are tested beside the kinds."""

import pytest

from mm_core.errors import InputError
from mm_core.fusion.config import FusionConfig, check_heads, check_whole


def test_the_base_stands_first_and_gives_the_width():
    config = FusionConfig({"style": 5, "pose": 3, "audio": 4}, base="pose")
    assert config.names == ("pose", "audio", "style")
    assert config.others == ("audio", "style")
    assert config.width == 3


def test_the_first_number_that_will_not_do_is_named():
    check_whole(heads=1, layers=7)
    with pytest.raises(InputError, match=r"^layers is 0; needed a whole number of 1 or more$"):
        check_whole(heads=1, layers=0)


def test_heads_share_the_width_evenly():
    check_heads(12, 3)
    with pytest.raises(InputError, match="5 heads cannot share the width 12"):
        check_heads(12, 5)
