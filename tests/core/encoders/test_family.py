"""A row knows the folders it opens."""

import pytest

from mm_core.encoders.family import Family


def row(**changes):
    given = {
        "name": "X", "kind": "text", "model_types": ("x",), "class_name": "XModel",
        "gives": "tokens", "unit": "none", "good_for": "tests", "load": lambda *a: None,
    }  # fmt: skip
    return Family(**given | changes)


@pytest.mark.parametrize(
    ("architectures", "config", "fits"),
    [
        ((), {"model_type": "x"}, True),
        ((), {"model_type": "y"}, False),
        ((), {}, False),
        (("A",), {"model_type": "x", "architectures": ["A"]}, True),
        (("A",), {"model_type": "x", "architectures": ["B"]}, False),
        (("A",), {"model_type": "x", "architectures": None}, False),
    ],
)
def test_a_row_fits_by_model_type_and_where_it_asks_by_architecture(architectures, config, fits):
    assert row(architectures=architectures).fits(config) is fits
