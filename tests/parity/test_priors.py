"""Priors, against diffusers and DALLE2-pytorch.

The second has many needs that its prior does not: in an environment that has diffusers,
pip install --no-deps dalle2-pytorch einops einops-exts rotary-embedding-torch is enough.
"""

import prior_cases
import priors
import pytest

pytestmark = [
    pytest.mark.parity,
    # Of other packages, about themselves.
    pytest.mark.filterwarnings("ignore"),
]
CASES = prior_cases.cases()


@pytest.mark.parametrize("name", CASES)
def test_a_prior_agrees_with_the_reference(name):
    measure, tolerance = CASES[name]
    found = measure()
    assert found.difference <= tolerance
    assert found.effect > 1e-2


def test_dalle2_pytorch_is_installed():
    if not priors.has_dalle2():
        pytest.skip("no dalle2_pytorch here: LAION's prior is compared with its formula alone")
