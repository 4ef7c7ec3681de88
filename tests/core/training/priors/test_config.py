"""The recipe of priors: defaults, files, and what it refuses."""

import json

import pytest

from mm_core.errors import InputError
from mm_core.training.embedded.config import fill_recipe
from mm_core.training.priors.config import Network, PriorRecipe


def test_a_file_changes_what_it_names(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"seed": 7, "diffusion": {"steps": 9}, "diffusion_network": {"layers": 1}}')
    found = fill_recipe(path, PriorRecipe())
    base = PriorRecipe()
    assert (found.seed, found.diffusion.steps, found.diffusion_network.layers) == (7, 9, 1)
    assert found.diffusion.batch == base.diffusion.batch
    assert found.tower == base.tower


def test_what_the_header_holds_makes_the_recipe_again(tmp_path):
    recipe = PriorRecipe(seed=3).within(10.0)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(recipe.as_dict()))
    assert fill_recipe(path, PriorRecipe()) == recipe
    assert "minutes" not in PriorRecipe().as_dict()["tower"]


def test_minutes_are_shared_among_the_fits():
    recipe = PriorRecipe().within(10.0)
    shares = [s.minutes for s in (recipe.tower, recipe.diffusion, recipe.autoregressive)]
    assert sum(shares) == pytest.approx(10)
    assert min(shares) > 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: PriorRecipe(scenes=8), "scenes is 8; it must be at least 256"),
        (lambda: PriorRecipe(drop=1.0), "drop is 1.0; it must be between 0 and 1"),
        (lambda: Network(width=0), "width is 0; it must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(make, said):
    with pytest.raises(InputError, match=said):
        make()
