"""The whole model has a part for everything it says it reads."""

from mm_core.embedded.defaults import WEIGHTS
from mm_core.embedded.model import MODALITIES, SPATIAL, EmbeddedModel


def test_every_modality_has_what_encodes_it(shipped):
    encoders = {"text": shipped.text, "style": shipped.adapters.style}
    encoders |= {"audio": shipped.adapters.audio, **shipped.adapters.spatial}
    assert encoders.keys() == set(MODALITIES)


def test_the_maps_have_the_channels_that_their_adapters_read(shipped):
    read = {name: shipped.adapters.spatial[name].body[1].in_channels // 16 for name in SPATIAL}
    assert read == {"depth": 1, "pose": 3, "segmentation": 8}


def test_a_loaded_model_is_ready_to_sample(shipped):
    assert not shipped.training
    assert not any(p.requires_grad for p in shipped.parameters())


def test_a_new_model_has_the_layout_of_the_shipped_one(shipped):
    new = EmbeddedModel().state_dict()
    assert {k: v.shape for k, v in new.items()} == {
        k: v.shape for k, v in shipped.state_dict().items()
    }


def test_every_modality_has_a_default_weight_that_acts():
    assert tuple(WEIGHTS) == MODALITIES
    assert all(0 < w < 20 for w in WEIGHTS.values())
