"""A world in which every row's prediction is known exactly, to prove guidance and its planner on.

x in R^64 is drawn from a mixture of Gaussians, one for each combination of labels. Label modalities
tell one label each, measurement modalities a noisy linear reading of x. A row's prediction is the
posterior mean of x given the noisy x and what the row sees, in closed form. The model is imperfect
in two ways, as real ones are, so that guidance is of use: it believes that labels are wrong now and
then (leak), and that readings are twice as noisy as they are.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from ..types import Row, Tensor

SIDE = 64  # dimensions of x
CHOICES = 4  # values of a label
LEAK = 0.15
READING_NOISE, BELIEVED_NOISE = 0.15, 0.3


@dataclass(frozen=True)
class Posterior:
    """A mixture with one covariance for all parts, in the covariance's own axes."""

    log_share: Tensor
    mean: Tensor
    spread: Tensor
    axes: Tensor

    def denoise(self, x: Tensor, noise: float) -> Tensor:
        """E[x_0 | x_0 + noise * n = x] for x (b, 64), in closed form."""
        z = x @ self.axes
        total = self.spread + noise**2
        off = z[:, None] - self.mean
        share = torch.softmax(self.log_share - 0.5 * (off**2 / total).sum(-1), 1)
        center = share @ self.mean
        return (center + (self.spread / total) * (z - center)) @ self.axes.T

    def draw(self, count: int, rng: torch.Generator) -> Tensor:
        """Exact samples (count, 64)."""
        part = torch.multinomial(self.log_share.exp(), count, True, generator=rng)
        z = self.mean[part] + _normal(rng, count, SIDE) * self.spread.sqrt()
        return z @ self.axes.T


@dataclass
class World:
    """A prior, and one observation of every modality. Names: label 0.., reading 0.."""

    prior: Tensor
    labels: Tensor
    centers: Tensor
    covariance: Tensor
    readers: list[Tensor]
    told: Tensor
    read: list[Tensor]
    _known: dict[tuple[Row, bool], Posterior] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        count = self.labels.shape[1]
        return (
            *(f"label {i}" for i in range(count)),
            *(f"reading {j}" for j in range(len(self.readers))),
        )

    @property
    def everything(self) -> Row:
        return Row.of(self.names)

    def denoise(self, x: Tensor, noise: float, row: Row) -> Tensor:
        """The model's prediction for a row. Strengths raise a modality's likelihood to a power."""
        return self.posterior(row).denoise(x, noise)

    def truth(self, count: int, seed: int) -> Tensor:
        """Samples of what the modalities say together, without the model's imperfections."""
        rng = torch.Generator().manual_seed(seed)
        return self.posterior(self.everything, honest=True).draw(count, rng)

    def posterior(self, row: Row, honest: bool = False) -> Posterior:
        """What a row knows. honest: with the true leak and noise."""
        if (row, honest) not in self._known:
            self._known[row, honest] = self._posterior(row, honest)
        return self._known[row, honest]

    def _posterior(self, row: Row, honest: bool) -> Posterior:
        log_share = self.prior.log()
        leak = 0.0 if honest else LEAK
        for i in range(self.labels.shape[1]):
            match = (self.labels[:, i] == self.told[i]).double()
            likelihood = (1 - leak) * match / (self.prior * match).sum() + leak
            log_share = log_share + row.strength(f"label {i}") * (likelihood + 1e-300).log()
        mean, covariance = self.centers, self.covariance
        seen = [j for j in range(len(self.readers)) if row.strength(f"reading {j}")]
        if seen:
            noise = READING_NOISE if honest else BELIEVED_NOISE
            a = torch.cat([self.readers[j] for j in seen])
            variance = torch.cat(
                [
                    torch.full((len(self.readers[j]),), noise**2 / row.strength(f"reading {j}"))
                    for j in seen
                ]
            ).double()
            off = torch.cat([self.read[j] for j in seen]) - mean @ a.T
            innovation = a @ covariance @ a.T + torch.diag(variance)
            solved = torch.linalg.solve(innovation, off.T).T
            log_share = log_share - 0.5 * (solved * off).sum(1)
            mean = mean + solved @ a @ covariance
            covariance = covariance - covariance @ a.T @ torch.linalg.solve(
                innovation, a @ covariance
            )
        spread, axes = torch.linalg.eigh((covariance + covariance.T) / 2)
        log_share = log_share - log_share.logsumexp(0)
        return Posterior(log_share, mean @ axes, spread.clamp(min=1e-9), axes)


def make_world(labels: int, readings: tuple[int, ...], seed: int, observed: int = 0) -> World:
    """A world and what is observed of one point in it.

    readings: how many numbers each measurement gives. The third label shares directions with the
    first, and the third reading rows with the first, so that modalities overlap.
    """
    rng = torch.Generator().manual_seed(seed)
    combos = torch.cartesian_prod(*[torch.arange(CHOICES)] * max(1, labels)).view(
        -1, max(1, labels)
    )
    basis = torch.linalg.qr(_normal(rng, SIDE, SIDE))[0]
    spectrum = 1 / torch.arange(1, SIDE + 1).double()
    covariance = basis @ torch.diag(0.35**2 * spectrum / spectrum.mean()) @ basis.T
    directions = [_normal(rng, CHOICES, SIDE) * 0.35 for _ in range(max(1, labels))]
    if labels >= 3:
        directions[2] = 0.7 * directions[0] + math.sqrt(0.51) * directions[2]
    centers = torch.stack([d[combos[:, i]] for i, d in enumerate(directions)]).sum(0)
    centers = centers + 0.15 * _normal(rng, len(combos), SIDE)
    liking = 0.7 * _normal(rng, len(combos))
    if labels >= 3:
        liking = liking + 1.2 * (combos[:, 0] == combos[:, 2])
    readers = [_rows(_normal(rng, m, SIDE)) for m in readings]
    if len(readers) >= 3:
        shared = min(len(readers[0]), len(readers[2]))
        readers[2][:shared] = 0.7 * readers[0][:shared] + math.sqrt(0.51) * readers[2][:shared]
        readers[2] = _rows(readers[2])
    prior = torch.softmax(liking, 0)
    point = torch.Generator().manual_seed(observed)
    part = int(torch.multinomial(prior, 1, generator=point))
    x = centers[part] + torch.linalg.cholesky(covariance) @ _normal(point, SIDE)
    read = [a @ x + READING_NOISE * _normal(point, len(a)) for a in readers]
    return World(
        prior, combos[:, :labels], centers, covariance, readers, combos[part, :labels], read
    )


def energy_distance(a: Tensor, b: Tensor) -> float:
    """2 E|a - b| - E|a - a'| - E|b - b'|, unbiased; 0 when both come from one distribution.

    Source: Szekely and Rizzo 2013, Energy statistics, Eq. 2.
    """

    def within(x: Tensor) -> Tensor:
        return torch.cdist(x, x).sum() / (len(x) * (len(x) - 1))

    return float(2 * torch.cdist(a, b).mean() - within(a) - within(b))


def euler(denoise: Callable[[Tensor, float, float], Tensor], x: Tensor, levels: Tensor) -> Tensor:
    """Samples with denoise(x, noise, next noise). levels fall, the last is 0."""
    for noise, following in zip(levels[:-1].tolist(), levels[1:].tolist(), strict=True):
        clean = denoise(x, noise, following)
        x = clean + following / noise * (x - clean)
    return x


def _rows(a: Tensor) -> Tensor:
    return a / a.norm(dim=1, keepdim=True)


def _normal(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=rng, dtype=torch.float64)
