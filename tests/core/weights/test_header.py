"""A header survives the trip through safetensors metadata, and others are told apart."""

import pytest

from mm_core.errors import WeightsError
from mm_core.weights.header import Header, pack, unpack

HEADER = Header("toy", 3, {"widths": {"fine": 8}}, {"seed": 1, "rate": 0.5}, {"psnr": None})


def test_a_packed_header_unpacks_to_itself():
    assert unpack(pack(HEADER)) == HEADER


def test_packed_headers_are_strings_as_safetensors_wants_them():
    assert all(isinstance(v, str) for item in pack(HEADER).items() for v in item)


@pytest.mark.parametrize("foreign", [None, {}, {"format": "pt"}, {"kind": '"toy"'}])
def test_metadata_that_is_not_ours_is_no_header(foreign):
    assert unpack(foreign) is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"mmc.kind": "toy"}, r"mmc\.kind is no JSON \(Expecting value"),
        ({"mmc.config": "{"}, r"mmc\.config is no JSON \("),
        ({"mmc.config": "[" * 100_000 + "]" * 100_000}, r"mmc\.config is no JSON \("),
        ({"mmc.figures": '{"psnr": NaN}'}, r"mmc\.figures is no JSON \(it holds NaN\)"),
        ({"mmc.version": None}, r"it lacks mmc\.version"),
        ({"mmc.recipe": "[1]"}, r"mmc\.recipe is a list, needed a dict"),
        ({"mmc.version": "true"}, r"mmc\.version is a bool, needed a int"),
        ({"mmc.kind": "[[]]"}, r"mmc\.kind is a list, needed a str"),
        ({"mmc.later": "1"}, r"it holds mmc\.later, unknown here; .* or update the pack"),
    ],
)
def test_a_damaged_header_of_ours_is_refused_and_no_file_of_others(changed, said):
    metadata = {k: v for k, v in (pack(HEADER) | changed).items() if v is not None}
    with pytest.raises(WeightsError, match=rf"a\.safetensors has a damaged header: {said}") as e:
        unpack(metadata, "a.safetensors")
    assert "\n" not in str(e.value)
    assert len(str(e.value)) < 250


def test_figures_that_json_cannot_hold_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack(Header("toy", 1, figures={"psnr": float("nan")}))
