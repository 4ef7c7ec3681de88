"""A whole run in a few numbers and sentences, from the entries of its trace."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from .trace import CONTRADICTING, OVERSHOOTING

Steps = Sequence[Mapping[str, Any]]
OFTEN = 1 / 3  # of the evaluations
MOST_PAIRS = 3  # that are warned of by name


def subjects(steps: Steps) -> tuple[str, ...]:
    """Everything that pushed, in the order in which it first did."""
    return tuple(dict.fromkeys(t["subject"] for s in steps for t in s.get("terms", ())))


def shares(steps: Steps) -> dict[str, float]:
    """Each subject's mean share of the push, over the evaluations at which anything was pushed.
    They sum to 1."""
    pushed = [found for s in steps if any((found := _of(s, "share")).values())]
    return {name: _mean(p.get(name) or 0.0 for p in pushed) for name in subjects(steps) if pushed}


def information(steps: Steps) -> dict[str, float]:
    """Each subject's information over the run, in nats, where any of it is known: equation 15."""
    out: dict[str, float] = {}
    for step in steps:
        for name, nats in _of(step, "information").items():
            if nats is not None:
                out[name] = out.get(name, 0.0) + nats
    return out


def cosines(steps: Steps) -> list[list[float | None]]:
    """The mean cosine of each two subjects, in the order of `subjects`; None for two that never
    pushed at once."""
    names, found = subjects(steps), _pairs(steps)
    return [
        [1.0 if a == b else (_mean(found[a, b]) if (a, b) in found else None) for b in names]
        for a in names
    ]


def warnings(steps: Steps) -> tuple[str, ...]:
    """What to look at, in sentences. A few evaluations are no reason: the first see noise alone."""
    said = []
    low = {
        pair: bad
        for pair, found in _pairs(steps).items()
        if len(bad := [c for c in found if c < CONTRADICTING]) >= OFTEN * len(found)
    }
    worst = sorted((min(found), *pair) for pair, found in low.items() if found)
    for cosine, one, other in [w for w in worst if w[1] < w[2]][:MOST_PAIRS]:
        said.append(
            f"{one} and {other} contradict each other: what they add has a cosine of down to "
            f"{cosine:.2f}, below {CONTRADICTING:g} in {len(low[one, other])} of {len(steps)} "
            "evaluations; lower one of the two, or let one end earlier"
        )
    strong = [s["relative_push"] for s in steps if (s.get("relative_push") or 0) > OVERSHOOTING]
    if strong and len(strong) >= OFTEN * len(steps):
        said.append(
            f"the push is strong: up to {max(strong):.2f} times the way from the noisy latent to "
            f"the picture, above {OVERSHOOTING:g} in {len(strong)} of {len(steps)} evaluations; "
            "where colours burn or shapes break, lower the overall push or the largest weight"
        )
    return tuple(said)


def _of(step: Mapping[str, Any], figure: str) -> dict[str, float | None]:
    return {t["subject"]: t[figure] for t in step.get("terms", ())}


def _pairs(steps: Steps) -> dict[tuple[str, str], list[float]]:
    """Every finite cosine of two different subjects, both ways round."""
    found: dict[tuple[str, str], list[float]] = {}
    for step in steps:
        names = [t["subject"] for t in step.get("terms", ())]
        for (i, a), (j, b) in combinations(enumerate(names), 2):
            if (cosine := step["cosines"][i][j]) is not None:
                found.setdefault((a, b), []).append(cosine)
                found.setdefault((b, a), []).append(cosine)
    return found


def _mean(values: Iterable[float]) -> float:
    given = list(values)
    return sum(given) / len(given)
