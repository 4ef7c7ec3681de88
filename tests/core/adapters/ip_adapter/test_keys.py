"""Names of three publishers come out alike."""

import pytest

from mm_core.adapters.ip_adapter.keys import canonical, canonical_names, is_lora


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("image_proj.proj.weight", "image_proj.proj.weight"),
        ("ip_adapter.1.to_k_ip.weight", "ip_adapter.1.to_k_ip.weight"),
        ("adapter_modules.1.to_k_ip.weight", "ip_adapter.1.to_k_ip.weight"),
        ("ip_adapter_proj_model.norm.bias", "image_proj.norm.bias"),
        (
            "double_blocks.18.processor.ip_adapter_double_stream_k_proj.weight",
            "ip_adapter.18.to_k_ip.weight",
        ),
        (
            "double_blocks.0.processor.ip_adapter_double_stream_v_proj.bias",
            "ip_adapter.0.to_v_ip.bias",
        ),
        ("double_blocks.0.processor.qkv.weight", None),
        ("model.diffusion_model.input_blocks.0.0.weight", None),
        ("image_projection.weight", None),
    ],
)
def test_a_name_has_one_form(name, form):
    assert canonical(name) == form


def test_what_is_no_adapters_is_left_out():
    table = {"adapter_modules.1.to_k_ip.weight": 1, "optimizer.step": 2}
    assert canonical_names(table) == {"ip_adapter.1.to_k_ip.weight": 1}


def test_low_rank_weights_are_told_from_the_rest():
    assert is_lora("ip_adapter.0.to_q_lora.down.weight")
    assert not is_lora("ip_adapter.1.to_k_ip.weight")
