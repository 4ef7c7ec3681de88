"""Image prompts on diffusion transformers, against diffusers."""

import pytest
import transformers_cases

pytestmark = [
    pytest.mark.parity,
    # Of other packages, about themselves.
    pytest.mark.filterwarnings("ignore"),
]
CASES = transformers_cases.cases()


@pytest.mark.parametrize("name", CASES)
def test_a_whole_transformer_agrees_with_diffusers(name):
    found = CASES[name]()
    assert found.difference <= transformers_cases.TOLERANCE
    assert found.effect > 1e-2
