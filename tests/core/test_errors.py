"""The tree of what we raise, as its docstring draws it."""

import re

import pytest

from mm_core import errors


def test_the_docstring_draws_every_error_and_no_other():
    drawn = set(re.findall(r"^\+-- (\w+)", errors.__doc__, re.M))
    defined = {n for n, v in vars(errors).items() if isinstance(v, type)} - {"MMError"}
    assert drawn == defined


@pytest.mark.parametrize("name", ["InputError", "PlanError", "WeightsError", "WordError"])
def test_every_error_is_ours_and_a_value_error(name):
    assert issubclass(getattr(errors, name), errors.MMError)
    assert issubclass(getattr(errors, name), ValueError)
