"""What is said of priors."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from mm_core.embedded.prior import load_priors
from mm_core.embedded.weights import SHIPPED
from mm_core.errors import WeightsError
from mm_core.priors.about import TOWERS, about_file, about_network, how_to_connect
from mm_core.priors.dalle2 import RULES, Dalle2Network
from mm_core.priors.diffusion import DiffusionPrior
from mm_core.priors.load import KIND, VERSION, described, save_prior
from mm_core.priors.space import CLIP_BIGG, CLIP_L, EMBEDDED, KNOWN, Space, readers_of
from mm_core.priors.transformer import PriorTransformer, Sizes
from mm_core.training.embedded.config import Stage
from mm_core.training.priors.config import PriorRecipe
from mm_core.weights.header import Header
from mm_core.weights.save import save_tensors


def published(dim, tokens=77):
    with torch.device("meta"):
        return PriorTransformer(Sizes(dim, 2048, 32, 20, tokens))


def test_a_published_prior_is_told_by_its_form_size_and_readers():
    lines = about_network("karlo.safetensors", published(768), CLIP_L).splitlines()
    # 1022.0 M parameters and the statistics' 2 x 768
    assert lines[0] == (
        "karlo.safetensors: diffusion prior, as Karlo and Kandinsky 2.1, 20 layers, 77 tokens of "
        "text, 1022.0 M numbers"
    )
    assert lines[1] == (
        "gives image embeddings of OpenAI CLIP ViT-L/14, width 768, as long as the encoder's"
    )
    assert lines[3] == ("read by SD2.1-unCLIP-L, Stable Cascade stage C, XLabs Flux IP-Adapter")


def test_an_sdxl_checkpoints_text_tower_is_told_to_do_for_kandinskys():
    said = about_network("kandinsky.safetensors", published(1280), CLIP_BIGG)
    assert "as Kandinsky 2.2, 20 layers" in said
    assert "connect clip, the CLIP of any SDXL checkpoint" in said
    assert "SDXL Revision" in said


def test_every_known_space_says_how_to_connect_its_text_tower():
    assert TOWERS.keys() == set(KNOWN)
    assert "connect encoder" in how_to_connect(Space("another CLIP", 24))


@pytest.mark.parametrize("kind", ["diffusion", "autoregressive"])
def test_the_shipped_priors_need_nothing_connected(kind):
    prior = load_priors()[0].priors[kind]
    said = about_network(f"embedded: {kind}", prior.network, EMBEDDED).splitlines()
    assert said[0].startswith(f"embedded: {kind}: {kind} prior, ")
    assert said[2].endswith("connect nothing: it ships with this pack")
    assert said[3] == f"read by {readers_of(EMBEDDED)[0].name}"


def test_a_file_is_told_from_its_header_alone(network, tmp_path):
    save_file(network.state_dict(), tmp_path / "a.safetensors")
    assert about_file(tmp_path / "a.safetensors", heads=4) == about_network(
        "a.safetensors", network, Space("an unknown encoder", 24)
    )


def test_laions_embeddings_are_told_to_have_length_1(laion, tmp_path):
    state = {f"net.{n}": t.contiguous() for n, t in laion.network.state_dict().items()}
    save_file(state, tmp_path / "b.safetensors")
    said = about_file(tmp_path / "b.safetensors")
    assert said.startswith("b.safetensors: LAION's DALL-E 2 prior, 2 layers, 7 tokens of text, ")
    assert "of length 1: connect like" in said


@pytest.mark.parametrize(
    ("nulls", "others"),
    [
        ("none", "0.16.2 to 0.23.2 or 0.16.0 or older"),
        ("padding", "0.23.3 to 1.4.2 or 0.16.2 to 0.23.2"),
    ],
)
def test_a_laion_prior_of_several_possible_versions_says_so(laion, nulls, others):
    sizes = replace(laion.network.sizes, nulls=nulls)
    said = about_network("a", Dalle2Network(sizes), laion.space).splitlines()[-1]
    assert said.startswith("computed as DALLE2-pytorch 1.4.3 or newer computes, though ")
    assert f"; set trained_with to {others} if you know" in said
    told = Dalle2Network(replace(sizes, rule=RULES["0.16.2 to 0.23.2"]))
    last = about_network("a", told, laion.space).splitlines()[-1]
    assert last == "computed as DALLE2-pytorch 0.16.2 to 0.23.2 computes"
    assert "computed as" not in about_network("a", laion.network, laion.space)


@pytest.mark.parametrize("kind", ["diffusion", "autoregressive"])
def test_a_file_of_ours_tells_how_it_was_trained(kind, request, tmp_path):
    save_prior(
        request.getfixturevalue(kind), tmp_path / "c.safetensors", {"steps": 9}, {"cosine": 0.5}
    )
    lines = about_file(tmp_path / "c.safetensors").splitlines()
    assert lines[0].startswith(f"c.safetensors: {kind} prior, 2 layers, 7 tokens of text, ")
    assert lines[1].startswith("gives image embeddings of a small CLIP, width 24")
    assert lines[3:] == ["read by no model that is known here", "trained: steps 9",
                         "measured: cosine 0.5"]  # fmt: skip


@pytest.mark.parametrize("kind", ["diffusion", "autoregressive"])
def test_of_a_recipe_only_what_made_this_prior_is_told(kind, request, tmp_path):
    """A recipe as mmc train prior --pairs writes it."""
    recipe = PriorRecipe(
        drop=0.2, seed=7, diffusion=Stage(64, 1500, 3e-3), autoregressive=Stage(64, 1500, 3e-3)
    )
    told = recipe.as_dict() | {"steps_run": {kind: 900}, "pairs": 512, "empty": True}
    path = tmp_path / "c.safetensors"
    save_prior(request.getfixturevalue(kind), path, told)
    lines = about_file(path).splitlines()
    assert lines[4:] == ["trained: steps 900, batch 64, rate 0.003, pairs 512, drop 0.2, seed 7"]
    del told["steps_run"]
    save_prior(request.getfixturevalue(kind), path, told)
    assert "trained: steps 1500, batch 64, " in about_file(path)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"note": "x" * 100, "seed": 1}, ["trained: seed 1"]),
        ({"note": "a\nb", "table": {"x": [1]}}, []),
        ({c: 1 for c in "abcdefghijkl"}, ["trained: " + ", ".join(f"{c} 1" for c in "abcdefgh")]),
        ({"diffusion": {"steps": [[]]}, "steps_run": [1]}, []),
    ],
)
def test_a_recipe_of_any_form_is_told_shortly(diffusion, tmp_path, recipe, said):
    save_prior(diffusion, tmp_path / "c.safetensors", recipe)
    assert about_file(tmp_path / "c.safetensors").splitlines()[4:] == said


def test_a_file_of_ours_is_not_told_to_be_published(stir, tmp_path):
    network = stir(PriorTransformer(Sizes(768, 64, 1, 1, 7)))
    save_file(network.state_dict(), tmp_path / "theirs.safetensors")
    save_prior(DiffusionPrior(network, CLIP_L), tmp_path / "ours.safetensors")
    theirs = about_file(tmp_path / "theirs.safetensors", heads=1)
    ours = about_file(tmp_path / "ours.safetensors")
    assert ": diffusion prior, as Karlo and Kandinsky 2.1, 1 layers" in theirs
    assert ": diffusion prior, 1 layers" in ours
    assert ours.splitlines()[1:] == theirs.splitlines()[1:]


def test_another_file_of_ours_is_no_prior(tmp_path):
    with pytest.raises(WeightsError, match=r"of kind 'embedded-model'.* needed kind 'prior'"):
        about_file(SHIPPED)


def test_a_file_of_a_later_version_is_refused(diffusion, tmp_path):
    path = tmp_path / "c.safetensors"
    header = Header(KIND, VERSION + 1, described(diffusion))
    save_tensors(diffusion.network.state_dict(), path, header)
    with pytest.raises(WeightsError, match="is of kind 'prior', version 2; needed kind 'prior', v"):
        about_file(path)


def test_what_could_not_be_loaded_is_refused_here_too(network, diffusion, tmp_path):
    short = {n: t for n, t in network.state_dict().items() if n != "clip_std"}
    save_file(short, tmp_path / "d.safetensors")
    with pytest.raises(WeightsError, match="lacks clip_std"):
        about_file(tmp_path / "d.safetensors", heads=4)
    save_prior(diffusion, tmp_path / "e.safetensors")
    whole = (tmp_path / "e.safetensors").read_bytes()
    (tmp_path / "e.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="truncated"):
        about_file(tmp_path / "e.safetensors")
