"""The shipped file, and files that are not one."""

import dataclasses

import pytest
import torch
from safetensors import safe_open

from mm_core.embedded.denoiser import Widths
from mm_core.embedded.model import EmbeddedModel
from mm_core.embedded.weights import (
    KIND,
    SHIPPED,
    VERSION,
    halved,
    load_embedded,
    save_embedded,
)
from mm_core.errors import WeightsError
from mm_core.evaluation.weights import SHIPPED as ORACLE
from mm_core.weights.header import Header
from mm_core.weights.save import save_tensors

SMALL = Widths(16, 16, 16)


@pytest.fixture
def header():
    return Header(KIND, VERSION, {"widths": dataclasses.asdict(SMALL)}, {"seed": 3})


def test_the_shipped_file_is_small_enough_to_ship():
    assert SHIPPED.stat().st_size <= 13e6


def test_the_shipped_file_says_how_it_was_made():
    header = load_embedded()[1]
    assert {"seed", "scenes", "dropout", "denoiser"} <= header.recipe.keys()


def test_the_shipped_weights_are_finite_and_half_precision():
    with safe_open(SHIPPED, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118
            tensor = file.get_tensor(name)
            assert tensor.dtype == torch.float16
            assert tensor.isfinite().all()


def test_a_saved_model_loads_as_it_was_but_for_half_precision(tmp_path, header):
    model = EmbeddedModel(SMALL)
    save_embedded(model, header, tmp_path / "a.safetensors")
    loaded, found = load_embedded(tmp_path / "a.safetensors")
    assert found == header
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name].half().float())


def test_halving_leaves_whole_numbers_alone():
    state = {"a": torch.tensor([1.5]), "count": torch.tensor(70_000)}
    assert {k: v.dtype for k, v in halved(state).items()} == {
        "a": torch.float16, "count": torch.int64,
    }  # fmt: skip


def test_the_oracle_is_refused_as_a_model():
    with pytest.raises(WeightsError, match=r"is of kind 'oracle'.* needed kind 'embedded-model'"):
        load_embedded(ORACLE)


@pytest.mark.parametrize("config", [{}, {"widths": {"fin": 3}}, {"widths": {"fine": 50}}])
def test_a_header_without_usable_widths_is_refused(tmp_path, config):
    save_tensors({}, tmp_path / "a.safetensors", Header(KIND, VERSION, config))
    with pytest.raises(WeightsError, match=r"a\.safetensors has no usable widths in its header"):
        load_embedded(tmp_path / "a.safetensors")


def test_a_file_that_lacks_a_tensor_is_refused_by_its_name(tmp_path, header):
    state = halved(EmbeddedModel(SMALL).state_dict())
    del state["autoencoder.mean"]
    save_tensors(state, tmp_path / "a.safetensors", header)
    with pytest.raises(
        WeightsError, match=r"does not fit EmbeddedModel: missing autoencoder\.mean"
    ):
        load_embedded(tmp_path / "a.safetensors")
