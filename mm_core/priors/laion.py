"""LAION's prior, whole: how DALLE2-pytorch samples from its network."""

from itertools import pairwise

import torch
import torch.nn.functional as F

from ..errors import InputError
from ..types import Float, Tensor
from .dalle2 import Dalle2Network
from .noise import Noise
from .prior import PriorText, Request, Tick, check_finite, check_guidance, check_text, no_tick
from .space import ImageEmbedding, Space
from .unclip import Draw, Predict, Table, solve_mean


class LaionPrior:
    """Its embeddings have length 1; match_norm gives them the lengths that readers expect.

    As many steps as in training are all of them, with noise; fewer are DDIM with noise. The solver
    "ddim" takes the noise out; "mean" is one step from the last one of training.
    """

    unit = True

    def __init__(
        self, network: Dalle2Network, space: Space, table: Table, source: str = "the prior"
    ):
        self.network, self.space, self.table, self.source = network, space, table, source

    @property
    def dropped(self) -> bool:
        """See check_guidance. DALLE2-pytorch 0.23.0 to 1.8.4 trained as if nothing was dropped."""
        return self.network.sizes.nulls != "padding"

    @torch.inference_mode()
    def sample(
        self,
        text: PriorText,
        request: Request,
        negative: PriorText | None = None,
        tick: Tick = no_tick,
    ) -> ImageEmbedding:
        """See Prior. Without a negative text the prior's learned nulls stand for none.

        Raises InputError for text of another CLIP, for more steps than in training, and where a
        number of the answer is not finite; and for guidance without a negative text where the
        prior has nothing that stands for none.
        """
        check_guidance(self.dropped, request.guidance, negative is not None, self.source)
        count, total = len(request.seeds), len(self.table.betas)
        if request.steps > total and request.solver != "mean":
            raise InputError(
                f"{self.source} was trained with {total} steps, asked for {request.steps}; "
                f"choose {total} or fewer"
            )
        noise, width = Noise(request.seeds), self.space.width
        predict = guided(
            self.network,
            self._read(text, count),
            request.guidance,
            self._read(negative, count) if negative is not None else None,
        )

        def draw() -> Tensor:
            return noise.normal(width).to(text.pooled)

        if request.solver == "mean":
            x = solve_mean(predict, draw, self.table, tick=tick)
        elif request.steps == total and request.solver == "ancestral":
            x = ancestral_loop(predict, draw, self.table, tick)
        else:
            eta = 1.0 if request.solver == "ancestral" else 0.0
            x = ddim_loop(predict, draw, self.table, request.steps, eta, tick)
        vectors = F.normalize(x.float(), dim=-1)
        check_finite(vectors, self.source, request.guidance, text, negative)
        return ImageEmbedding(vectors, self.space, unit=True)

    def _read(self, text: PriorText, count: int) -> PriorText:
        """As the prior was trained: a sentence of length 1."""
        check_text(text, self.space, self.network.sizes.tokens, self.source)
        text = text.sized(count)
        return PriorText(F.normalize(text.pooled, dim=-1), text.tokens, text.mask)


def guided(
    network: Dalle2Network, text: PriorText, guidance: float, negative: PriorText | None = None
) -> Predict:
    """(noisy, timestep) -> the guided prediction of the clean embedding.

    The texts are read here, once for all steps.
    """
    given, against = network.read(text), None
    if guidance != 1 and negative is not None:
        against = network.read(negative)
    elif guidance != 1:
        # With learned nulls nothing told is one answer for all; else each sees its own noise.
        rows = 1 if network.sizes.nulls == "all" else len(text)
        against = network.read(network.nothing(rows), without=True)

    def clean(x: Tensor, t: int) -> Tensor:
        time = torch.full((len(x),), t, device=x.device)
        told = network(x, time, given)
        if against is None:
            return told
        rows = len(against)
        without = network(x[:rows], time[:rows], against, without=negative is None)
        return without + guidance * (told - without)

    return clean


def ancestral_loop(predict: Predict, draw: Draw, table: Table, tick: Tick = no_tick) -> Tensor:
    """Every step of training, backwards. Nothing is limited."""
    x, total = draw(), len(table.betas)
    kept, beta = table.kept, table.betas
    before = F.pad(kept[:-1], (1, 0), value=1.0)
    variance = beta * (1 - before) / (1 - kept)
    for done, t in enumerate(reversed(range(total)), 1):
        x0 = predict(x, t)
        ours = beta[t] * before[t].sqrt() / (1 - kept[t])
        theirs = (1 - before[t]) * (1 - beta[t]).sqrt() / (1 - kept[t])
        x = ours.to(x) * x0 + theirs.to(x) * x
        if t > 0:
            x = x + variance[t].clamp(min=1e-20).sqrt().to(x) * draw()
        tick(done, total)
    return x


def ddim_loop(
    predict: Predict,
    draw: Draw,
    table: Table,
    steps: int,
    eta: float = 1.0,
    tick: Tick = no_tick,
) -> Float[Tensor, "b d"]:
    """Fewer steps. eta: 1 adds all the noise it can, 0 none.

    Kept as DALLE2-pytorch has it, since its priors are used so: sampling starts below the last
    step of training, and the noise level before each step stands for that of the step itself.
    Source: Song et al. 2020 (DDIM), arXiv 2010.02502, equations 12 and 16.
    """
    x, total = draw(), len(table.betas)
    kept = table.kept.to(x)  # in the network's precision, as they were in use
    before = F.pad(kept[:-1], (1, 0), value=1.0)
    away, off = (1 / table.kept).sqrt().to(x), (1 / table.kept - 1).sqrt().to(x)
    times = [int(t) for t in torch.linspace(-1.0, total, steps + 1)[:-1].tolist()][::-1]
    for done, (t, following) in enumerate(pairwise(times), 1):
        x0 = predict(x, t)
        if following < 0:
            x = x0
        else:
            noise = (away[t] * x - x0) / off[t]
            now, then = before[t], before[following]
            fresh = eta * ((1 - now / then) * (1 - then) / (1 - now)).sqrt()
            x = then.sqrt() * x0
            if eta > 0 and following > 0:
                x = x + fresh * draw()
            x = x + ((1 - then) - fresh**2).sqrt() * noise
        tick(done, len(times) - 1)
    return x
