"""From the work folder to the two files that are shipped, with recipe and figures in the header."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...embedded.denoiser import Widths
from ...embedded.model import EmbeddedModel
from ...embedded.weights import KIND, VERSION, save_embedded
from ...evaluation import weights as oracle_file
from ...evaluation.oracle import Oracle
from ...evaluation.suite import Suite, main_runs
from ...weights.header import Header
from .config import Recipe
from .loop import Report, steps_done

MODEL_NAME, ORACLE_NAME = "embedded.safetensors", "oracle.safetensors"


def export(
    recipe: Recipe,
    work: Path,
    out: Path,
    model: EmbeddedModel,
    oracle: Oracle,
    autoencoder_psnr: float,
    report: Report,
    earlier: Mapping[str, Any] | None = None,
    count: int = 192,
) -> dict[str, Any]:
    """Measures the trained networks and writes the files; returns the figures.

    earlier: the recipe of the model that this run started from. Its oracle is in out already.
    """
    report(f"measuring on {count} held-out scenes")
    suite = Suite(model, oracle, count, seeds=(900_000,))
    figures = {
        "autoencoder_psnr_db": round(autoencoder_psnr, 2),
        "held_out_scenes": count,
        "ceiling": _values(suite.ceiling()),
        "all_inputs": _values(suite.run(main_runs()[0])["measures"]),
    }
    made = _made(recipe, work, ("denoiser",) if earlier else ("autoencoder", "denoiser"))
    if earlier:
        made["started_from"] = dict(earlier)
    else:
        judge = Header(
            oracle_file.KIND,
            oracle_file.VERSION,
            recipe=_made(recipe, work, ("oracle",)),
            figures={"ceiling": figures["ceiling"]},
        )
        oracle_file.save_oracle(oracle, judge, out / ORACLE_NAME)
    header = Header(KIND, VERSION, {"widths": asdict(Widths())}, made, figures)
    save_embedded(model, header, out / MODEL_NAME)
    return figures


def _made(recipe: Recipe, work: Path, stages: tuple[str, ...]) -> dict[str, Any]:
    steps = {stage: steps_done(work / f"{stage}.safetensors") for stage in stages}
    return {**recipe.acted(stages), "steps_run": steps}


def _values(measures: dict[str, Any]) -> dict[str, float | None]:
    return {name: m["value"] for name, m in measures.items()}
