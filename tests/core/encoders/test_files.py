"""Every reader refuses what it could wait for without end."""

import os

import pytest

from mm_core.encoders.pictures import open_picture
from mm_core.encoders.pose import read_keypoints
from mm_core.encoders.waves import read_wave
from mm_core.errors import InputError


@pytest.mark.parametrize("read", [open_picture, read_keypoints, read_wave])
def test_a_pipe_is_refused_by_name_and_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(
        InputError, match=r"pipe: found a pipe or device, needed a .*check the path"
    ):
        read(tmp_path / "pipe")
