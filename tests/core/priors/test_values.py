"""Numbers that cannot be weights are refused by the tensor that holds them."""

import math

import pytest
import torch

from mm_core.errors import WeightsError
from mm_core.priors.values import check_kinds, check_values

PRECISIONS = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e5m2]


@pytest.mark.parametrize("precision", [*PRECISIONS, torch.float8_e4m3fn])
def test_one_number_that_is_none_is_found_anywhere(precision):
    for place in (0, 17, 34):
        whole = torch.linspace(-1, 1, 35).reshape(5, 7)
        check_values({"x": whole.to(precision)}, "a")
        whole.view(-1)[place] = math.nan
        with pytest.raises(WeightsError, match="a is damaged: y holds numbers that are not finite"):
            check_values({"x": torch.zeros(2), "y": whole.to(precision)}, "a")


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_one_number_without_end_is_found(precision, value):
    whole = torch.zeros(35, dtype=torch.float32)
    whole[11] = value
    with pytest.raises(
        WeightsError, match="y holds numbers that are not finite; download it again"
    ):
        check_values({"y": whole.to(precision)}, "a")


@pytest.mark.parametrize("name", ["clip_std", "reach"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_what_is_divided_by_must_be_above_0(name, value):
    with pytest.raises(WeightsError, match=f"{name} holds {value:g}, needed numbers above 0"):
        check_values({name: torch.tensor([[1.0, value]])}, "a")
    check_values({name: torch.tensor([[1.0, 1e-9]]), "clip_mean": torch.tensor([value])}, "a")


def test_a_tensor_without_numbers_has_none_that_cannot_be():
    check_values({"x": torch.zeros(0, 3)}, "a")


@pytest.mark.parametrize("kind", ["I64", "BOOL", "I8", "C64", "U8", "F8_E8M0", "F4"])
def test_what_is_no_floating_point_is_named(kind):
    check_kinds({"x": "F32", "y": "F16", "z": "BF16", "v": "F8_E4M3"}, "a")
    with pytest.raises(WeightsError, match=rf"a cannot be used: y holds {kind}, needed floating"):
        check_kinds({"x": "F32", "y": kind}, "a")


@pytest.mark.parametrize("precision", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_of_8_bit_numbers_each_is_judged_as_its_float32_is(precision):
    every = torch.arange(256).to(torch.uint8).view(precision)
    for k, finite in enumerate(every.float().isfinite().tolist()):
        if finite:
            check_values({"y": every[k : k + 1]}, "a")
        else:
            with pytest.raises(WeightsError, match="y holds numbers that are not finite"):
                check_values({"y": every[k : k + 1]}, "a")
