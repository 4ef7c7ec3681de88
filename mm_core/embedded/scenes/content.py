"""What a scene shows: up to two objects and a person, where, how near, and with which sound."""

from dataclasses import dataclass

import torch

from ...types import Bool, Float, Int, Tensor
from .attributes import ARMS, COLORS, NOTE_NAMES, POSITIONS, SHAPES, SHIRT_COLORS, TIMBRES
from .figure import sample_joints
from .random import integers, uniform

ONE_OBJECT, TWO_OBJECTS, PERSON, PERSON_AND_OBJECT, PERSON_BETWEEN = range(5)
KIND_SHARES = torch.tensor([0.26, 0.32, 0.16, 0.18, 0.08])


@dataclass(frozen=True)
class Content:
    """n scenes. Positions and radii as fractions of the picture, x right, y down.

    relation is an index of RELATIONS that holds from the first thing to the second, or -1. The
    things are object 0 and object 1, or the person and object 0, by kind. PERSON_BETWEEN has
    object 0 left of the person and object 1 right of it.
    nearness 0..1 of object 0, object 1 and the person; 1 is nearest. note is -1 in silence.
    """

    kind: Int[Tensor, " n"]
    has: Bool[Tensor, "n 3"]
    color: Int[Tensor, "n 2"]
    shape: Int[Tensor, "n 2"]
    large: Int[Tensor, "n 2"]
    center: Float[Tensor, "n 2 2"]
    radius: Float[Tensor, "n 2"]
    relation: Int[Tensor, " n"]
    position: Int[Tensor, " n"]
    shirt: Int[Tensor, " n"]
    arms: Int[Tensor, " n"]
    joints: Float[Tensor, "n 14 2"]
    scale: Float[Tensor, " n"]
    nearness: Float[Tensor, "n 3"]
    ground: Float[Tensor, "n 2"]
    note: Int[Tensor, " n"]
    timbre: Int[Tensor, " n"]


def sample_content(rng: torch.Generator, n: int) -> Content:
    """n scenes; every combination of colour and shape can come up, two equal objects cannot."""
    kind = torch.multinomial(KIND_SHARES, n, True, generator=rng)
    color = integers(rng, 2 * n, len(COLORS)).view(n, 2)
    shape = integers(rng, 2 * n, len(SHAPES)).view(n, 2)
    twins = (color[:, 0] == color[:, 1]) & (shape[:, 0] == shape[:, 1])
    color[:, 1] = torch.where(twins, (color[:, 1] + 1) % len(COLORS), color[:, 1])
    two, beside, between = kind == TWO_OBJECTS, kind == PERSON_AND_OBJECT, kind == PERSON_BETWEEN

    relation = integers(rng, n, 4)
    relation = torch.where(beside, relation % 2, relation)  # a person is left or right of things
    relation = torch.where(two | beside, relation, torch.where(between, 0, -1))
    position = torch.where(kind == ONE_OBJECT, integers(rng, n, len(POSITIONS)), -1)
    center = _centers(rng, n, kind, relation, position)

    large = integers(rng, 2 * n, 2).view(n, 2)
    large = torch.where(between[:, None], 0, large)
    big, small = uniform(rng, 2 * n, 0.16, 0.2), uniform(rng, 2 * n, 0.11, 0.13)
    radius = torch.where(large == 1, big.view(n, 2), small.view(n, 2))
    radius = torch.where(beside[:, None], radius * 0.9, radius)

    scale = uniform(rng, n, 0.95, 1.12)
    scale = torch.where(beside, scale * 0.88, torch.where(between, scale * 0.85, scale))
    px = uniform(rng, n, 0.42, 0.58)
    px = torch.where(beside & (relation == 0), uniform(rng, n, 0.33, 0.38), px)
    px = torch.where(beside & (relation == 1), uniform(rng, n, 0.62, 0.67), px)
    px = torch.where(between, uniform(rng, n, 0.46, 0.54), px)
    arms = integers(rng, n, len(ARMS) + 1)
    arms = torch.where((between | beside) & (arms == 2), 1, arms)  # no room to stretch them out
    pelvis = torch.stack([px, uniform(rng, n, 0.53, 0.57)], 1)
    silent = torch.rand(n, generator=rng) < 0.3
    return Content(
        kind=kind,
        has=torch.stack([kind != PERSON, two | between, kind >= PERSON], 1),
        color=color,
        shape=shape,
        large=large,
        center=center,
        radius=radius,
        relation=relation,
        position=position,
        shirt=integers(rng, n, len(SHIRT_COLORS)),
        arms=arms,
        joints=sample_joints(rng, pelvis, scale, arms),
        scale=scale,
        nearness=uniform(rng, 3 * n, 0.4, 1.0).view(n, 3),
        ground=uniform(rng, 2 * n, 0.0, 0.25).view(n, 2),
        note=torch.where(silent, -1, integers(rng, n, len(NOTE_NAMES))),
        timbre=torch.where(silent, -1, integers(rng, n, len(TIMBRES))),
    )


def _centers(
    rng: torch.Generator, n: int, kind: Tensor, relation: Tensor, position: Tensor
) -> Float[Tensor, "n 2 2"]:
    """Object centres that make the relation or position word true."""

    def low() -> Tensor:
        return uniform(rng, n, 0.27, 0.33)

    def high() -> Tensor:
        return uniform(rng, n, 0.67, 0.73)

    def middle() -> Tensor:
        return uniform(rng, n, 0.44, 0.56)

    def anywhere() -> Tensor:
        return uniform(rng, n, 0.32, 0.68)

    def pick(cases: list[tuple[Tensor, Tensor]], otherwise: Tensor) -> Tensor:
        for condition, value in cases:
            otherwise = torch.where(condition, value, otherwise)
        return otherwise

    x0 = pick([(position == 0, low()), (position == 1, high())], middle())
    y0 = pick([(position == 2, low()), (position == 3, high())], middle())
    two = kind == TWO_OBJECTS
    x0 = torch.where(two, pick([(relation == 0, low()), (relation == 1, high())], anywhere()), x0)
    y0 = torch.where(two, pick([(relation == 2, low()), (relation == 3, high())], anywhere()), y0)
    x1 = pick([(relation == 0, high()), (relation == 1, low())], anywhere())
    y1 = pick([(relation == 2, high()), (relation == 3, low())], anywhere())
    beside = kind == PERSON_AND_OBJECT
    aside = torch.where(relation == 0, uniform(rng, n, 0.72, 0.76), uniform(rng, n, 0.24, 0.28))
    x0, y0 = torch.where(beside, aside, x0), torch.where(beside, anywhere(), y0)
    between = kind == PERSON_BETWEEN
    x0 = torch.where(between, uniform(rng, n, 0.2, 0.23), x0)
    x1 = torch.where(between, uniform(rng, n, 0.77, 0.8), x1)
    y0, y1 = torch.where(between, anywhere(), y0), torch.where(between, anywhere(), y1)
    return torch.stack([torch.stack([x0, y0], 1), torch.stack([x1, y1], 1)], 1)
