"""A joint space of words and pictures: a short fit here, the measured one marked slow."""

import pytest

from mm_core.evaluation.cases import HELD_OUT_SEED
from mm_core.fusion.joint import JointConfig, JointSpace
from mm_core.training.embedded.loop import Budget
from mm_core.training.fusion.inputs import make_inputs, with_own_captions
from mm_core.training.fusion.joint import fit_joint, retrieval

SMALL = {"space": 64, "latents": 4, "layers": 1}


def test_a_short_fit_brings_its_own_pairs_together(few, quiet, tmp_path):
    pairs = with_own_captions(few, 48)
    new = JointSpace(JointConfig({"text": 128, "picture": 160}, **SMALL))
    assert max(retrieval(new, pairs)) < 0.2
    block = fit_joint(pairs, Budget(50), tmp_path / "fit.safetensors", quiet, SMALL)
    assert min(retrieval(block, pairs)) > 0.6


@pytest.mark.slow
def test_of_64_held_out_pairs_95_percent_find_each_other(shipped, tmp_path, capsys):
    inputs = make_inputs(shipped, 8192, seed=0)
    held_out = with_own_captions(make_inputs(shipped, 96, HELD_OUT_SEED), 64)
    block = fit_joint(inputs, Budget(1200), tmp_path / "fit.safetensors", lambda line: None)
    found = retrieval(block, held_out)
    with capsys.disabled():
        print(f"\ntext finds picture {found[0]:.3f}, picture finds text {found[1]:.3f}")  # noqa: T201
    assert min(found) >= 0.95
