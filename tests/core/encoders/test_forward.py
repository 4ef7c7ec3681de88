"""Inputs go where the weights are; what cannot be an input is refused in words."""

import pytest
import torch
from torch import nn

from mm_core.encoders.forward import forward, prepared, side_by_side
from mm_core.errors import InputError


class Echo(nn.Module):
    def __init__(self, dtype):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, dtype=dtype))

    def forward(self, **given):
        return given


def test_numbers_take_the_precision_of_the_weights_and_counts_stay_counts():
    given = {
        "x": torch.ones(2),
        "ids": torch.ones(2, dtype=torch.long),
        "longer": torch.ones(1) > 0,
    }
    found = forward(Echo(torch.float16), given)
    assert [x.dtype for x in found.values()] == [torch.float16, torch.long, torch.bool]


def test_no_gradient_is_kept():
    network = nn.Linear(2, 2)
    assert not forward(network, {"input": torch.ones(1, 2)}).requires_grad


def test_what_the_network_refuses_is_the_folders_fault():
    class Refuses(Echo):
        def forward(self, **given):
            raise ValueError("Input image size (64*64)\ndoesn't match model (32*32).")

    words = r"Refuses refuses .*\(Input image size \(64\*64\) doesn't match model \(32\*32\)\.\)"
    with pytest.raises(InputError, match=words):
        forward(Refuses(torch.float32), {})


def test_an_error_that_is_no_refusal_stays_what_it_is():
    class Fails(Echo):
        def forward(self, **given):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        forward(Fails(torch.float32), {})


def test_samples_of_different_lengths_stand_side_by_side(noise):
    parts = [noise(1, 2, 4), noise(1, 3, 4)]
    tokens, mask = side_by_side(parts)
    assert torch.equal(tokens[0, :2], parts[0][0])
    assert torch.equal(tokens[1], parts[1][0])
    assert not tokens[0, 2].any()
    assert mask.tolist() == [[True, True, False], [True, True, True]]


def test_a_processor_that_does_not_fit_is_one_sentence():
    def processor(images, return_tensors):
        raise ValueError("mean must have 3 elements\nif it is an iterable")

    with pytest.raises(InputError, match=r"do not fit .*mean must have 3 .*download preproc"):
        prepared(processor, images=1)


def test_what_a_processor_makes_is_a_table():
    def processor(*given, return_tensors, **options):
        return {"given": given, "kind": return_tensors, **options}

    found = prepared(processor, 1, boxes=2)
    assert found == {"given": (1,), "kind": "pt", "boxes": 2}
