"""POSE_KEYPOINT, as ComfyUI and controlnet_aux hand it from node to node <-> people.

Both conventions are read. ComfyUI: pixels, real scores, feet, hands under each other's name.
controlnet_aux: pixels or 0..1, confidences 1 and 0, None for what was not found. Written is what
both read: pixels, 1 or 0, no None; the real scores stay under a key of our own.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from ...errors import InputError
from ...types import Float, Tensor
from .layouts import SEEN, body_of_25, face_of_68, feet_of_25
from .people import COUNTED, SIZES, Frame, Person, hands_are_exchanged, with_hands_exchanged

NEEDED = "needed POSE_KEYPOINT JSON: people with 18 pose_keypoints_2d triples, or 25 in BODY_25"
KEYS = {
    "body": "pose_keypoints_2d",
    "feet": "foot_keypoints_2d",
    "face": "face_keypoints_2d",
    "left_hand": "hand_left_keypoints_2d",
    "right_hand": "hand_right_keypoints_2d",
}
COUNTS = {**{name: (SIZES[name],) for name in COUNTED}, "body": (18, 25)}
TRIPLES = "triples of x, y and confidence"
SCORES = "mmc_scores"  # the confidences as they were, by part; says pixels and own hands, too
DAMAGE = (KeyError, TypeError, ValueError, OverflowError, AttributeError, RuntimeError)

Hands = Literal["auto", "named", "exchanged"]


@dataclass(frozen=True)
class Unsized:
    """The canvas of frames that do not say it, as OpenPose's own JSON does not.

    size: width and height of the picture the points were found in, where that is known. otherwise:
    what else a user can do who has no size in the file, as the end of a sentence.
    """

    size: tuple[int, int] | None = None
    otherwise: str = ""


UNSIZED = Unsized()


def frames_of(
    data: Any, source: str, hands: Hands = "auto", unsized: Unsized = UNSIZED
) -> tuple[Frame, ...]:
    """Every frame of POSE_KEYPOINT data, in pixels of its canvas.

    hands: "named" believes the names, "exchanged" takes each for the other (ComfyUI's own pose
    node names them so), "auto" exchanges those that begin at the other side's wrist.

    Raises InputError, naming source, for what is not POSE_KEYPOINT, for animals, and for numbers
    that are not finite.
    """
    frames = data if isinstance(data, list) else [data]
    if not frames:
        raise InputError(f"{source}: found no frame; {NEEDED}")
    return tuple(_frame(frame, source, hands, unsized) for frame in frames)


def open_frame(frame: Any, source: str) -> dict[str, Any]:
    """The frame itself, if it is one with people."""
    if isinstance(frame, dict) and ("animals" in frame or frame.get("version") == "ap10k"):
        raise InputError(f"{source}: found animals (ap10k), whose points are others; {NEEDED}")
    if not isinstance(frame, dict) or "people" not in frame:
        found = sorted(map(str, frame)) if isinstance(frame, dict) else type(frame).__name__
        raise InputError(f"{source}: found {found}; {NEEDED}")
    return frame


def canvas_of(
    frame: dict[str, Any], source: str, unsized: Unsized = UNSIZED
) -> tuple[float, float]:
    """Width and height of the canvas, finite and above 0."""
    if not has_canvas(frame):
        if unsized.size is not None:
            return float(unsized.size[0]), float(unsized.size[1])
        raise InputError(
            f"{source}: found keypoints without canvas_width and canvas_height, as OpenPose itself "
            "writes them; add both to each frame, the size in pixels of the picture that the "
            f"points were found in{unsized.otherwise}"
        )
    try:
        width, height = float(frame["canvas_width"]), float(frame["canvas_height"])
    except DAMAGE as e:
        raise damaged(source, e) from e
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise InputError(f"{source}: the canvas is {width} x {height}; {NEEDED}")
    return width, height


def has_canvas(frame: dict[str, Any]) -> bool:
    """Whether a frame says how large its canvas is."""
    return all(frame.get(side) is not None for side in ("canvas_width", "canvas_height"))


def check_inside(points: Sequence[Tensor], frame: dict[str, Any], source: str, size: Any) -> None:
    """InputError where points that count lie beyond a canvas that the frame itself does not say:
    then they were found in a larger picture."""
    if size is None or has_canvas(frame):
        return
    for part in points:
        seen = part[part[:, 2] >= SEEN, :2]
        most = [int(v) for v in seen.amax(0).tolist()] if len(seen) else [0, 0]
        if most[0] > size[0] or most[1] > size[1]:
            raise InputError(
                f"{source}: found points as far as x {most[0]}, y {most[1]}, and the picture is "
                f"{size[0]} x {size[1]}; needed the size of the picture that the points were "
                "found in"
            )


def part_of(person: Any, name: str, source: str, number: int) -> Float[Tensor, "n 3"] | None:
    """The points of one part of a person, by its name in KEYS; None where it was not looked for.

    Raises InputError, naming the part, where it is damaged. number: which person it is, from 1.
    """
    key = KEYS[name]
    if not isinstance(person, dict):
        raise damaged(source, f"person {number} is {type(person).__name__}")
    if name == "body" and key not in person:
        raise damaged(source, f"person {number} has no {key}")
    flat = person.get(key)
    try:
        return None if flat is None or len(flat) == 0 else points_of(flat, *COUNTS.get(name, ()))
    except DAMAGE as e:
        counts = " or ".join(map(str, COUNTS.get(name, ())))
        raise InputError(
            f"{source}: {key} of person {number} is damaged ({e}); needed "
            f"{counts + ' ' if counts else ''}{TRIPLES}"
        ) from e


def points_of(flat: Any, *counts: int) -> Float[Tensor, "n 3"]:
    """A flat list of x, y, confidence as points. One of which any number is None is not there.

    ValueError unless of these counts; without counts, of any.
    """
    given = list(flat)
    if len(given) % 3:
        raise ValueError(f"{len(given)} numbers")
    triples = [given[i : i + 3] for i in range(0, len(given), 3)]
    if counts and len(triples) not in counts:
        raise ValueError(f"{len(triples)} points")
    rows = [[0.0] * 3 if any(v is None for v in row) else [*map(float, row)] for row in triples]
    return torch.tensor(rows, dtype=torch.float64).view(-1, 3)


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
    parts = {key: _filled(person.part(name), SIZES[name]) for name, key in KEYS.items()}
    out: dict[str, Any] = {
        key: [v for x, y, c in part.tolist() for v in (x, y, float(c >= SEEN))]
        for key, part in parts.items()
    }
    given = [key for name, key in KEYS.items() if getattr(person, name) is not None]
    return {**out, SCORES: {key: parts[key][:, 2].tolist() for key in given}}


def _filled(points: Float[Tensor, "n 3"], least: int) -> Float[Tensor, "m 3"]:
    """With points that are not there up to the number that readers count on."""
    missing = points.new_zeros(max(0, least - len(points)), 3)
    return torch.cat([points, missing])


def _frame(data: Any, source: str, hands: Hands, unsized: Unsized) -> Frame:
    frame = open_frame(data, source)
    width, height = canvas_of(frame, source, unsized)
    people_found = frame["people"]
    if not isinstance(people_found, list):
        raise damaged(source, f"people is {type(people_found).__name__}")
    found = [_parts(person, source, i) for i, person in enumerate(people_found, 1)]
    ours = any(SCORES in person for person in people_found)
    every = [part for parts in found for part in parts.values()]
    if not all(torch.isfinite(part).all() for part in every):
        raise InputError(f"{source}: a coordinate is not a finite number; {NEEDED}")
    check_inside(every, frame, source, unsized.size)
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


def _parts(person: Any, source: str, number: int) -> dict[str, Float[Tensor, "n 3"]]:
    """The parts of a person. None and empty lists are parts that were not looked for."""
    looked = {name: part_of(person, name, source, number) for name in KEYS}
    found = {name: part for name, part in looked.items() if part is not None}
    if (scores := person.get(SCORES)) is not None:
        try:
            found = {n: _scored(p, scores[KEYS[n]]) for n, p in found.items() if KEYS[n] in scores}
        except DAMAGE as e:
            raise damaged(source, f"{SCORES} of person {number}: {e}") from e
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
