"""A header survives the trip through safetensors metadata, and others are told apart."""

import pytest

from mm_core.weights.header import Header, pack, unpack

HEADER = Header("toy", 3, {"widths": {"fine": 8}}, {"seed": 1, "rate": 0.5}, {"psnr": None})


def test_a_packed_header_unpacks_to_itself():
    assert unpack(pack(HEADER)) == HEADER


def test_packed_headers_are_strings_as_safetensors_wants_them():
    assert all(isinstance(v, str) for item in pack(HEADER).items() for v in item)


@pytest.mark.parametrize(
    "foreign",
    [
        None,
        {},
        {"format": "pt"},
        {"mmc.kind": "toy"},  # not JSON
        {"mmc.kind": '"toy"'},  # no version
        {**pack(HEADER), "mmc.later": "1"},  # of a version that knows more
    ],
)
def test_metadata_that_is_not_ours_is_no_header(foreign):
    assert unpack(foreign) is None


def test_figures_that_json_cannot_hold_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack(Header("toy", 1, figures={"psnr": float("nan")}))
