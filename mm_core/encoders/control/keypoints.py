"""POSE_KEYPOINT, as ComfyUI and controlnet_aux hand it from node to node <-> people.

Both conventions are read. ComfyUI: pixels, real scores, feet, hands under each other's name.
controlnet_aux: pixels or 0..1, confidences 1 and 0, None for what was not found. Written is what
both read: pixels, 1 or 0, no None; the real scores stay under a key of our own.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import torch

from ...errors import InputError
from ...types import Float, Tensor
from .layouts import SEEN, body_of_25, face_of_68, feet_of_25
from .people import SIZES, Frame, Person, hands_are_exchanged, with_hands_exchanged

NEEDED = "needed POSE_KEYPOINT JSON: people with 18 pose_keypoints_2d triples, or 25 in BODY_25"
KEYS = {
    "body": "pose_keypoints_2d",
    "feet": "foot_keypoints_2d",
    "face": "face_keypoints_2d",
    "left_hand": "hand_left_keypoints_2d",
    "right_hand": "hand_right_keypoints_2d",
}
COUNTS = {**{name: (points,) for name, points in SIZES.items()}, "body": (18, 25), "face": (68, 70)}
SCORES = "mmc_scores"  # the confidences as they were, by part; says pixels and own hands, too
DAMAGE = (KeyError, TypeError, ValueError, OverflowError, AttributeError, RuntimeError)

Hands = Literal["auto", "named", "exchanged"]


def frames_of(data: Any, source: str, hands: Hands = "auto") -> tuple[Frame, ...]:
    """Every frame of POSE_KEYPOINT data, in pixels of its canvas.

    hands: "named" believes the names, "exchanged" takes each for the other (ComfyUI's own pose
    node names them so), "auto" exchanges those that begin at the other side's wrist.

    Raises InputError, naming source, for what is not POSE_KEYPOINT, for animals, and for numbers
    that are not finite.
    """
    frames = data if isinstance(data, list) else [data]
    if not frames:
        raise InputError(f"{source}: found no frame; {NEEDED}")
    return tuple(_frame(frame, source, hands) for frame in frames)


def open_frame(frame: Any, source: str) -> dict[str, Any]:
    """The frame itself, if it is one with people."""
    if isinstance(frame, dict) and ("animals" in frame or frame.get("version") == "ap10k"):
        raise InputError(f"{source}: found animals (ap10k), whose points are others; {NEEDED}")
    if not isinstance(frame, dict) or "people" not in frame:
        found = sorted(map(str, frame)) if isinstance(frame, dict) else type(frame).__name__
        raise InputError(f"{source}: found {found}; {NEEDED}")
    return frame


def canvas_of(frame: dict[str, Any], source: str) -> tuple[float, float]:
    """Width and height of the canvas, finite and above 0."""
    try:
        width, height = float(frame["canvas_width"]), float(frame["canvas_height"])
    except DAMAGE as e:
        raise damaged(source, e) from e
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise InputError(f"{source}: the canvas is {width} x {height}; {NEEDED}")
    return width, height


def points_of(flat: Any, *counts: int) -> Float[Tensor, "n 3"]:
    """A flat list of x, y, confidence as points; None is 0. ValueError unless of these counts."""
    numbers = [float(v or 0) for v in flat]
    if not numbers or len(numbers) % 3:
        raise ValueError(f"{len(numbers)} numbers")
    values = torch.tensor(numbers, dtype=torch.float64).view(-1, 3)
    if len(values) not in counts:
        raise ValueError(f"{len(values)} points")
    return values


def are_shares(parts: Sequence[Tensor]) -> bool:
    """Whether points are shares of the canvas: those that count lie within 1 of its corner."""
    at = [part[part[:, 2] >= SEEN, :2].abs() for part in parts]
    return any(len(a) for a in at) and all(float(a.max()) <= 1 for a in at if len(a))


def damaged(source: str, reason: object) -> InputError:
    return InputError(f"{source}: damaged keypoints ({reason}); {NEEDED}")


def keypoints_of(frames: Iterable[Frame]) -> list[dict[str, Any]]:
    """POSE_KEYPOINT data of frames, for any node that reads it.

    A point counts, and so has confidence 1.0, from SEEN on. Parts that a person lacks are zeros.
    """
    return [
        {
            "canvas_width": frame.width,
            "canvas_height": frame.height,
            "people": [_written(person) for person in frame.people],
        }
        for frame in frames
    ]


def _written(person: Person) -> dict[str, Any]:
    out: dict[str, Any] = {
        key: [v for x, y, c in person.part(name).tolist() for v in (x, y, float(c >= SEEN))]
        for name, key in KEYS.items()
    }
    given = {key: part for name, key in KEYS.items() if (part := getattr(person, name)) is not None}
    return {**out, SCORES: {key: part[:, 2].tolist() for key, part in given.items()}}


def _frame(data: Any, source: str, hands: Hands) -> Frame:
    frame = open_frame(data, source)
    width, height = canvas_of(frame, source)
    try:
        found = [_parts(person) for person in frame["people"]]
        ours = any(SCORES in person for person in frame["people"])
    except DAMAGE as e:
        raise damaged(source, e) from e
    every = [part for parts in found for part in parts.values()]
    if not all(torch.isfinite(part).all() for part in every):
        raise InputError(f"{source}: a coordinate is not a finite number; {NEEDED}")
    people = [Person(**parts) for parts in found]
    if are_shares(every) and not ours:
        across = torch.tensor([[width, 0, 0], [0, height, 0]], dtype=torch.float64)
        people = [person.moved(across) for person in people]
    if hands == "exchanged":
        people = [with_hands_exchanged(p) for p in people]
    if hands == "auto" and not ours:
        people = [with_hands_exchanged(p) if hands_are_exchanged(p, SEEN) else p for p in people]
    try:
        return Frame(round(width), round(height), tuple(people))
    except InputError as e:
        raise InputError(f"{source}: {e}") from e


def _parts(person: Any) -> dict[str, Float[Tensor, "n 3"]]:
    """The parts of a person. None and empty lists are parts that were not looked for."""
    scores = person.get(SCORES)
    found = {}
    for name, key in KEYS.items():
        if flat := (person[key] if name == "body" else person.get(key)):
            found[name] = points_of(flat, *COUNTS[name])
    if scores is not None:
        found = {n: _scored(p, scores[KEYS[n]]) for n, p in found.items() if KEYS[n] in scores}
    body = found.setdefault("body", torch.zeros(18, 3, dtype=torch.float64))
    if len(body) == 25:
        found = {"feet": feet_of_25(body), **found, "body": body_of_25(body)}
    if len(found.get("face", ())) == 68:
        found["face"] = face_of_68(found["face"], found["body"])
    return found


def _scored(points: Float[Tensor, "n 3"], scores: Any) -> Float[Tensor, "n 3"]:
    """The points with the scores that they had before they were written as 1 or 0."""
    if len(scores) != len(points):
        raise ValueError(f"{len(scores)} scores of {len(points)} points")
    return torch.cat([points[:, :2], points.new_tensor(scores)[:, None]], 1)
