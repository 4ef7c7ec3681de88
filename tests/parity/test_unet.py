"""Image prompts on UNets, against diffusers, from files that both load."""

import pytest
import torch
import unet_cases
import unets

from mm_core.adapters.ip_adapter.attend import ImageTerm
from mm_core.adapters.ip_adapter.sites import SD15, SDXL, sites

pytestmark = [
    pytest.mark.parity,
    # Of other packages, about themselves.
    pytest.mark.filterwarnings("ignore"),
]
CASES = unet_cases.cases()


@pytest.mark.parametrize("name", CASES)
def test_a_whole_unet_agrees_with_diffusers(name):
    found = CASES[name]()
    assert found.difference <= unet_cases.TOLERANCE
    assert found.effect > 1e-2 or "scale 0.0" in name


@pytest.mark.parametrize("model", [unets.SD15, unets.SDXL], ids=lambda m: m.name)
def test_a_dropped_middle_block_would_show(model, monkeypatch):
    def without_middle(scale):
        return lambda site, kv, q: [ImageTerm(kv, 0.0 if site.block == "middle" else scale)]

    monkeypatch.setattr(unet_cases, "constant", without_middle)
    assert unet_cases.family(model, "base").difference > 100 * unet_cases.TOLERANCE


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (SD15, {"attention_head_dim": 8}),
        (
            SDXL,
            {
                "attention_head_dim": (5, 10, 20),
                "transformer_layers_per_block": (1, 2, 10),
                "use_linear_projection": True,
            },
        ),
    ],
    ids=lambda x: getattr(x, "name", ""),
)
def test_sites_are_the_order_names_and_widths_of_the_full_model_in_diffusers(model, options):
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        network = UNet2DConditionModel(
            block_out_channels=model.widths,
            cross_attention_dim=model.context,
            down_block_types=tuple(f"{'CrossAttn' if d else ''}DownBlock2D" for d in model.depths),
            up_block_types=tuple(
                f"{'CrossAttn' if d else ''}UpBlock2D" for d in reversed(model.depths)
            ),
            **options,
        )
    order = [name.removesuffix(".processor") for name in network.attn_processors]
    expected = [
        (index, name, network.get_submodule(name).to_k.out_features)
        for index, name in enumerate(order)
        if name.endswith("attn2")
    ]
    assert [(s.index, s.module, s.width) for s in sites(model)] == expected
