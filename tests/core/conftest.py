"""Real small things that many tests share; each is made once.

Imports of mm_core stand inside the fixtures: shapes are checked in modules that are imported after
pytest is set up, and this file is read before.
"""

import pytest
import torch
from hypothesis import settings

# The same examples on every machine, and no time limit on a busy one.
settings.register_profile("house", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("house")


@pytest.fixture(scope="session")
def shipped():
    """The shipped model. Nothing may be asked of it beyond what any trained one gives."""
    from mm_core.embedded.weights import load_embedded

    return load_embedded()[0]


@pytest.fixture(scope="session")
def oracle():
    from mm_core.evaluation.weights import load_oracle

    return load_oracle()[0]


@pytest.fixture(scope="session")
def scenes():
    """Twenty-four scenes, read by many tests and changed by none."""
    from mm_core.embedded.scenes.dataset import make_scenes

    return make_scenes(24, seed=5)


@pytest.fixture
def noise(rng):
    """noise(2, 3) draws a tensor of that shape from the seeded generator."""
    return lambda *shape, **kind: torch.randn(*shape, generator=rng, **kind)
