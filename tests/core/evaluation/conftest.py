"""Held-out scenes that several tests of measures read."""

import pytest


@pytest.fixture(scope="package")
def case():
    from mm_core.evaluation.cases import held_out

    return held_out(48)


@pytest.fixture(scope="package")
def reading(oracle, case):
    from mm_core.evaluation.measures import read

    return read(oracle, case.picture)
