"""The shipped oracle, and its fingerprint."""

import torch

from mm_core.evaluation.oracle import Oracle
from mm_core.evaluation.weights import (
    KIND,
    SHIPPED,
    VERSION,
    fingerprint,
    load_oracle,
    save_oracle,
)
from mm_core.weights.header import Header


def test_the_shipped_oracle_is_small_enough_to_ship():
    assert SHIPPED.stat().st_size <= 4e6


def test_the_shipped_oracle_says_how_it_was_made():
    assert load_oracle()[1].recipe


def test_a_loaded_oracle_is_frozen(oracle):
    assert not oracle.training
    assert not any(p.requires_grad for p in oracle.parameters())


def test_a_saved_oracle_loads_as_it_was_but_for_half_precision(tmp_path):
    oracle = Oracle()
    oracle.at64[1][1].running_var.fill_(0.3)
    save_oracle(oracle, Header(KIND, VERSION), tmp_path / "a.safetensors")
    loaded = load_oracle(tmp_path / "a.safetensors")[0].state_dict()
    for name, tensor in oracle.state_dict().items():
        expected = tensor.half().float() if tensor.is_floating_point() else tensor
        assert torch.equal(loaded[name], expected)


def test_the_fingerprint_is_sha_256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")  # the example of FIPS 180-2
    assert fingerprint(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
