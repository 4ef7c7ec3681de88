"""Fits either prior to pairs, whatever they come from."""

from collections.abc import Callable
from pathlib import Path

import torch

from ...priors.autoregressive import ARSizes, AutoregressivePrior, CodeTransformer
from ...priors.diffusion import DiffusionPrior
from ...priors.prior import PriorText
from ...priors.space import Space
from ...priors.transformer import PriorTransformer, Sizes
from ...priors.unclip import cosine_table
from ...types import Float, Tensor
from ..embedded.config import Stage
from ..embedded.loop import Report, Trainer
from .autoregressive import (
    autoregressive_loss,
    cosines,
    dropped,
    set_coding,
    start_tables,
)
from .config import PriorRecipe
from .diffusion import diffusion_loss, set_statistics, start_weights
from .finite import check_finite

Batch = Callable[[int, int], tuple[PriorText, Tensor]]
"""(step, size) -> texts and their image embeddings; the same for the same step."""


def fit_diffusion(
    batch: Batch,
    vectors: Float[Tensor, "n d"],
    empty: PriorText | None,
    space: Space,
    recipe: PriorRecipe,
    path: Path,
    report: Report,
) -> DiffusionPrior:
    """vectors: for the statistics. path: where the state is kept; a stopped fit goes on from it.

    empty: what dropped texts become. Without one nothing is dropped, whatever the recipe says, and
    guidance has nothing to move away from.
    Raises InputError for a training that diverged.
    """
    torch.manual_seed(recipe.seed)
    size = recipe.diffusion_network
    words = batch(0, 1)[0].tokens.shape[1]
    network = PriorTransformer(Sizes(space.width, size.width, size.heads, size.layers, words))
    start_weights(network, recipe.seed)
    set_statistics(network, vectors)
    table = cosine_table()

    def step_loss(step: int, spent: float) -> Tensor:
        rng = torch.Generator().manual_seed(step)
        text, wanted = batch(step, recipe.diffusion.batch)
        if empty is not None and recipe.drop > 0:
            text = dropped(text, empty, recipe.drop, rng)
        return diffusion_loss(network, table, text, wanted, rng)

    _train(network, recipe.diffusion, path, report, step_loss)
    prior = DiffusionPrior(network, space, recipe.limit, table)
    prior.dropped = empty is not None and recipe.drop > 0
    return prior


def fit_autoregressive(
    batch: Batch,
    vectors: Float[Tensor, "n d"],
    empty: PriorText | None,
    space: Space,
    recipe: PriorRecipe,
    path: Path,
    report: Report,
) -> AutoregressivePrior:
    """The same. Dropped texts become learned nulls; `empty` is not needed, and not read."""
    torch.manual_seed(recipe.seed + 1)
    size = recipe.autoregressive_network
    text, near = batch(0, min(len(vectors), 1024))
    codes = min(size.codes, space.width)
    words = text.tokens.shape[1]
    network = CodeTransformer(
        ARSizes(space.width, size.width, size.heads, size.layers, words, codes, size.buckets)
    )
    start_weights(network, recipe.seed + 1)
    start_tables(network)
    set_coding(network, vectors, cosines(text, near))

    def step_loss(step: int, spent: float) -> Tensor:
        rng = torch.Generator().manual_seed(step)
        text, wanted = batch(step, recipe.autoregressive.batch)
        kept = dropped(text, network.without(1), recipe.drop, rng)
        return autoregressive_loss(network, kept, wanted, cosines(text, wanted), recipe.soft)

    _train(network, recipe.autoregressive, path, report, step_loss)
    prior = AutoregressivePrior(network, space)
    prior.dropped = recipe.drop > 0
    return prior


def _train(
    network: torch.nn.Module,
    stage: Stage,
    path: Path,
    report: Report,
    step_loss: Callable[[int, float], Tensor],
) -> None:
    network.train()
    Trainer(network, stage.schedule(), stage.budget(), path, report).run(step_loss)
    check_finite(network, stage.rate)
    network.eval().requires_grad_(False)
