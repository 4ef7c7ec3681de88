"""The jointed figure: where its joints are, and the signed distances of its parts."""

import torch

from ...types import Float, Int, Tensor
from .attributes import ARMS, JOINTS, PIXELS
from .random import uniform
from .shapes import capsule

J = {name: index for index, name in enumerate(JOINTS)}
LIMBS = (("r", -1.0), ("l", 1.0))  # side of the body, and its side of the picture


def sample_joints(
    rng: torch.Generator,
    pelvis: Float[Tensor, "n 2"],
    scale: Float[Tensor, " n"],
    arms: Int[Tensor, " n"],
) -> Float[Tensor, "n 14 2"]:
    """Joint positions, 0..1 of the picture, x right and y down. arms: an index of ARMS, or free."""
    n = len(scale)
    joints = torch.zeros(n, len(JOINTS), 2)

    def offset(x: Tensor, y: Tensor) -> Tensor:
        return torch.stack([x, y], 1) * scale[:, None]

    lean = uniform(rng, n, -0.15, 0.15)
    up = torch.stack([lean.sin(), -lean.cos()], 1) * scale[:, None]
    neck = pelvis + 0.22 * up
    joints[:, J["neck"]] = neck
    joints[:, J["nose"]] = neck + 0.105 * up
    free = len(ARMS)
    for side, sign in LIMBS:
        shoulder = neck + offset(torch.full((n,), 0.062 * sign), torch.full((n,), 0.012))
        raised = uniform(rng, n, 2.0, 2.8)
        hanging = uniform(rng, n, 0.15, 0.6)
        level = uniform(rng, n, 1.3, 1.8)
        angle = uniform(rng, n, 0.1, 2.8)
        for index, choice in enumerate((raised, hanging, level)):
            angle = torch.where(arms == index, choice, angle)
        bend = torch.where(arms == free, uniform(rng, n, -1.4, 1.4), uniform(rng, n, -0.35, 0.35))
        elbow = shoulder + offset(sign * angle.sin() * 0.125, angle.cos() * 0.125)
        angle = angle + bend
        joints[:, J[f"{side}_shoulder"]] = shoulder
        joints[:, J[f"{side}_elbow"]] = elbow
        joints[:, J[f"{side}_wrist"]] = elbow + offset(
            sign * angle.sin() * 0.12, angle.cos() * 0.12
        )
    for side, sign in LIMBS:
        hip = pelvis + offset(torch.full((n,), 0.036 * sign), torch.zeros(n))
        angle = uniform(rng, n, 0.0, 0.55)
        knee = hip + offset(sign * angle.sin() * 0.17, angle.cos() * 0.17)
        angle = angle + uniform(rng, n, -0.6, 0.25)
        joints[:, J[f"{side}_hip"]] = hip
        joints[:, J[f"{side}_knee"]] = knee
        joints[:, J[f"{side}_ankle"]] = knee + offset(
            sign * angle.sin() * 0.165, angle.cos() * 0.165
        )
    return joints


def part_distances(
    joints: Float[Tensor, "n 14 2"], scale: Float[Tensor, " n"]
) -> dict[str, Float[Tensor, "n h w"]]:
    """Signed distances in picture units of legs, torso, arms, hands and head."""
    axis = (torch.arange(PIXELS) + 0.5) / PIXELS
    y, x = axis[None, :, None], axis[None, None, :]

    def stick(start: str, end: str, width: float) -> Tensor:
        return capsule(x, y, joints[:, J[start]], joints[:, J[end]], width * scale)

    def disc(joint: str, width: float) -> Tensor:
        p = joints[:, J[joint]]
        square = (x - p[:, 0, None, None]) ** 2 + (y - p[:, 1, None, None]) ** 2
        return square.sqrt() - (width * scale)[:, None, None]

    def union(*parts: Tensor) -> Tensor:
        return torch.stack(parts).amin(0)

    neck, pelvis = joints[:, J["neck"]], (joints[:, J["r_hip"]] + joints[:, J["l_hip"]]) / 2
    torso = capsule(x, y, neck * 0.84 + pelvis * 0.16, pelvis * 0.95 + neck * 0.05, 0.064 * scale)
    sides = [s for s, _ in LIMBS]
    return {
        "legs": union(
            *(stick(f"{s}_hip", f"{s}_knee", 0.036) for s in sides),
            *(stick(f"{s}_knee", f"{s}_ankle", 0.034) for s in sides),
        ),
        "torso": torso,
        "arms": union(
            *(stick(f"{s}_shoulder", f"{s}_elbow", 0.031) for s in sides),
            *(stick(f"{s}_elbow", f"{s}_wrist", 0.030) for s in sides),
        ),
        "hands": union(*(disc(f"{s}_wrist", 0.038) for s in sides)),
        "head": disc("nose", 0.07),
    }
