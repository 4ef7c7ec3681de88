"""Recipes from files: defaults, and what is refused in which words."""

import json

import pytest

from mm_core.errors import InputError
from mm_core.training.embedded.config import Recipe, Stage, read_recipe


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "recipe.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_what_a_recipe_leaves_out_keeps_its_default(written):
    found = read_recipe(written({"seed": 5, "denoiser": {"steps": 7}}))
    default = Recipe()
    assert (found.seed, found.denoiser.steps) == (5, 7)
    assert (found.scenes, found.denoiser.batch) == (default.scenes, default.denoiser.batch)
    assert found.oracle == default.oracle


def test_a_recipe_is_read_back_from_what_a_file_header_holds(written):
    recipe = Recipe(seed=3, denoiser=Stage(4, 5, 1e-3, minutes=2.5))
    assert read_recipe(written(recipe.as_dict())) == recipe


def test_an_unlimited_time_is_left_out_of_the_header_since_json_has_no_infinity():
    assert "minutes" not in Recipe().as_dict()["oracle"]


def test_a_whole_number_serves_as_a_fraction(written):
    found = read_recipe(written({"object_weight": 2, "oracle": {"minutes": 3}}))
    assert (found.object_weight, found.oracle.minutes) == (2.0, 3.0)
    assert isinstance(found.object_weight, float)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{not json", "is not JSON"),
        ("[]", r"recipe\.json must be a table, not list"),
        ({"sceens": 4}, r"has \['sceens'\]; known settings are \['autoencoder', "),
        ({"oracle": {"batches": 4}}, r"oracle has \['batches'\]; known settings are \['average'"),
        ({"oracle": 4}, "oracle must be a table, not int"),
        ({"scenes": "many"}, "scenes is 'many'; it must be like 65536"),
        ({"scenes": True}, "scenes is True; it must be like 65536"),
        ({"scenes": None}, "scenes is None; it must be like 65536"),
        ({"scenes": [4]}, r"scenes is \[4\]; it must be like 65536"),
        ({"scenes": 2.5}, r"scenes is 2\.5; it must be like 65536"),
        ('{"seed": NaN}', "seed is nan; it must be like 1000"),
        ({"scenes": 0}, "scenes is 0; it must be at least 1"),
        ({"object_weight_until": 0}, r"object_weight_until is 0\.0; it must be above 0"),
        ({"dropout": 3}, "dropout is 3; it must be like 'structured'"),
        ({"dropout": "none"}, "dropout is 'none'; it must be 'structured' or 'independent'"),
        ({"denoiser": {"steps": 0}}, "steps is 0; it must be at least 1"),
        ({"denoiser": {"batch": -1}}, "batch is -1; it must be at least 1"),
        ({"denoiser": {"minutes": 0}}, r"minutes is 0\.0; it must be above 0"),
        ('{"denoiser": {"rate": NaN}}', "rate is nan; it must be above 0"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused_in_words(written, content, said):
    with pytest.raises(InputError, match=said):
        read_recipe(written(content))


def test_a_missing_recipe_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the recipe .*none\.json: No such file"):
        read_recipe(tmp_path / "none.json")
