"""Small adapters with random weights under the names of published files."""

import layouts
import pytest
from safetensors.torch import save_file

SD15 = [8] * 2 + [16] * 2 + [24] * 5 + [16] * 3 + [8] * 3 + [24]


@pytest.fixture
def filled():
    """filled(shapes) is (the adapter, its tensors under canonical names)."""
    from mm_core.adapters.ip_adapter.adapter import make_adapter
    from mm_core.adapters.ip_adapter.keys import canonical_names
    from mm_core.adapters.ip_adapter.layout import detect

    def make(shapes, source="a.safetensors"):
        tensors = canonical_names(layouts.random_tensors(shapes))
        adapter = make_adapter(detect(shapes, source)).eval().requires_grad_(False)
        adapter.load_state_dict({n: t for n, t in tensors.items() if "lora" not in n})
        return adapter, tensors

    return make


@pytest.fixture
def tiny():
    """Layers of a UNet with SD 1.5's topology, reading tokens of width 64."""
    return layouts.layers(SD15, 64)


@pytest.fixture
def written(tmp_path):
    """written(shapes) is a safetensors file of random tensors."""

    def write(shapes, name="a.safetensors", seed=0):
        path = tmp_path / name
        save_file(layouts.random_tensors(shapes, seed), path)
        return path

    return write
