"""A few scenes as embeddings; made once."""

import pytest


@pytest.fixture(scope="session")
def few(shipped):
    from mm_core.training.fusion.inputs import make_inputs

    return make_inputs(shipped, 64, seed=11)


@pytest.fixture
def quiet():
    return lambda line: None
