"""Files of fusion blocks, and files that are none."""

import pytest
import torch

from mm_core.embedded.weights import SHIPPED
from mm_core.errors import WeightsError
from mm_core.fusion.kinds import KINDS, kind_of
from mm_core.fusion.weights import KIND, VERSION, load_fusion, save_fusion
from mm_core.weights.header import Header
from mm_core.weights.save import save_tensors


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_block_says_the_same_bit_for_bit(three, make, stirred, tmp_path, kind):
    block = stirred(make(kind))
    save_fusion(block, tmp_path / "a.safetensors", {"seed": 3}, {"top-1": 0.97})
    loaded, header = load_fusion(tmp_path / "a.safetensors")
    assert kind_of(loaded) == kind
    assert loaded.config == block.config
    assert (header.recipe, header.figures) == ({"seed": 3}, {"top-1": 0.97})
    assert torch.equal(loaded(three).embedding.tokens, block(three).embedding.tokens)
    assert not any(p.requires_grad for p in loaded.parameters())


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, r"a\.safetensors describes no fusion block that can be built here \('block'\)"),
        ({"block": "gated"}, r"can be built here \('settings'\); update the pack, or fit"),
        ({"block": "mixer", "settings": {}}, "there is no fusion block 'mixer'; choose one of"),
        ({"block": "gated", "settings": {"width": 8}}, "'gated' cannot have these settings"),
        ({"block": "gated", "settings": {"widths": {}}}, "the base 'text' is not among"),
        ({"block": ["gated"], "settings": {}}, "describes no fusion block"),
        ({"block": "gated", "settings": 3}, "describes no fusion block"),
    ],
)
def test_a_header_that_describes_no_block_is_refused(tmp_path, config, said):
    save_tensors({}, tmp_path / "a.safetensors", Header(KIND, VERSION, config))
    with pytest.raises(WeightsError, match=said) as e:
        load_fusion(tmp_path / "a.safetensors")
    assert "\n" not in str(e.value).split("Type-check")[0]


def test_the_embedded_model_is_refused_as_a_fusion_block():
    with pytest.raises(WeightsError, match=r"of kind 'embedded-model'.* needed kind 'fusion'"):
        load_fusion(SHIPPED)


def test_weights_of_another_block_are_refused_by_name(make, tmp_path):
    settings = {"widths": {"text": 8, "style": 8, "audio": 8}, "base": "text"}
    state = make("concat").state_dict()
    header = Header(KIND, VERSION, {"block": "film", "settings": settings})
    save_tensors(state, tmp_path / "a.safetensors", header)
    with pytest.raises(WeightsError, match=r"does not fit FiLM: missing modulation"):
        load_fusion(tmp_path / "a.safetensors")
