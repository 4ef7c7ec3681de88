"""An adapter's module is the published file's tensors, one for one."""

import math

import layouts
import pytest
import torch

from mm_core.adapters.ip_adapter.adapter import TimedAdapter, make_adapter
from mm_core.adapters.ip_adapter.keys import canonical_names, is_lora
from mm_core.adapters.ip_adapter.layout import detect

PUBLISHED = layouts.published()
MILLIONS = {  # of numbers in the released files
    "ip-adapter_sd15": 22.3,
    "ip-adapter_sd15_vit-G": 23.1,
    "ip-adapter-plus_sd15": 49.1,
    "ip-adapter-full-face_sd15": 21.8,
    "ip-adapter_sdxl": 351.3,
    "ip-adapter_sdxl_vit-h": 349.2,
    "ip-adapter-plus_sdxl_vit-h": 423.7,
    "kolors_ip_adapter_plus_general": 506.6,
}


def twin(name):
    with torch.device("meta"):
        return make_adapter(detect(PUBLISHED[name], name))


@pytest.mark.parametrize("name", PUBLISHED)
def test_names_and_shapes_are_the_files(name):
    found = {n: tuple(t.shape) for n, t in twin(name).state_dict().items()}
    expected = canonical_names(PUBLISHED[name])
    assert found == {n: s for n, s in expected.items() if not is_lora(n)}


@pytest.mark.parametrize("name", MILLIONS)
def test_there_are_as_many_numbers_as_in_the_released_file(name):
    count = sum(math.prod(t.shape) for t in twin(name).state_dict().values())
    assert round(count / 1e6, 1) == MILLIONS[name]


def test_sd35_has_an_adapter_that_knows_the_time():
    assert isinstance(twin("instantx_sd35-large-ip-adapter"), TimedAdapter)
