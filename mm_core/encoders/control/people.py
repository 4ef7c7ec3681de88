"""People as points: body, feet, face and hands, on a canvas of pixels."""

from dataclasses import dataclass, fields, replace

import torch

from ...errors import InputError
from ...types import Float, Tensor
from .layouts import WHOLEBODY, WRISTS, body_of_coco, coco_of_body, face_of_68

SIZES = {"body": 18, "feet": 6, "face": 70, "left_hand": 21, "right_hand": 21}
COUNTED = ("body", "left_hand", "right_hand")  # parts whose points are joined by their number
LARGEST = 16384  # pixels a side; what the host draws at most


def _absent(points: int) -> Tensor:
    return torch.zeros(points, 3, dtype=torch.float64)


@dataclass(frozen=True)
class Person:
    """Points of one person: x and y in pixels of the canvas, and confidence.

    A confidence of 0 is a point that is not there. Parts that are not given have only those.
    body: BODY_18. feet: FEET_6. face: 68 landmarks, right eye, left eye. Hands: 21 points, the
    first of them the wrist, then four for each finger from the thumb on; left is the person's own
    left. Layouts: control/layouts.py. Faces and feet of other layouts may have any number of
    points: each is drawn alone.
    """

    body: Float[Tensor, "18 3"]
    feet: Float[Tensor, "toes 3"] | None = None
    face: Float[Tensor, "landmarks 3"] | None = None
    left_hand: Float[Tensor, "21 3"] | None = None
    right_hand: Float[Tensor, "21 3"] | None = None

    def __post_init__(self) -> None:
        for name, points in SIZES.items():
            part = getattr(self, name)
            wanted = (points if name in COUNTED else len(part) if part is not None else 0, 3)
            if part is not None and tuple(part.shape) != wanted:
                raise InputError(
                    f"the {name.replace('_', ' ')} of a person has the shape {tuple(part.shape)}; "
                    f"needed {wanted[0]} points of x, y and confidence"
                )
            if part is not None and not torch.isfinite(part).all():
                raise InputError(
                    f"the {name.replace('_', ' ')} of a person has a number that is not finite; "
                    "leave such points out with confidence 0"
                )

    def part(self, name: str) -> Float[Tensor, "n 3"]:
        """The points of one part, by its field's name; zeros where it is not given."""
        part = getattr(self, name)
        return _absent(SIZES[name]) if part is None else part

    def moved(self, place: Float[Tensor, "2 3"]) -> "Person":
        """The same person where (x, y, 1) is multiplied by place. Confidences stay."""
        changed = {}
        for field in fields(self):
            if (part := getattr(self, field.name)) is not None:
                at = part[:, :2] @ place[:, :2].T.to(part) + place[:, 2].to(part)
                changed[field.name] = torch.cat([at, part[:, 2:]], 1)
        return replace(self, **changed)


@dataclass(frozen=True)
class Frame:
    """The people of one picture, first at the back, and the size of the picture in pixels."""

    width: int
    height: int
    people: tuple[Person, ...] = ()

    def __post_init__(self) -> None:
        if not (1 <= self.width <= LARGEST and 1 <= self.height <= LARGEST):
            raise InputError(
                f"a canvas is {self.width} x {self.height}; needed 1 to {LARGEST} pixels each way"
            )


def person_of_wholebody(points: Float[Tensor, "133 3"]) -> Person:
    """A person of COCO-WholeBody's 133 points, in pixels."""
    part = {name: points[start:end] for name, (start, end) in WHOLEBODY.items()}
    body = body_of_coco(part["body"])
    face = face_of_68(part["face"], body)
    return Person(body, part["feet"], face, left_hand=part["left"], right_hand=part["right"])


def wholebody_of_person(person: Person) -> Float[Tensor, "133 3"]:
    """COCO-WholeBody's 133 points of a person; the neck is left out.

    Raises InputError where the feet or the face are of another layout.
    """
    hands = [person.part("left_hand"), person.part("right_hand")]
    feet, face = person.part("feet"), person.part("face")
    for name, part in (("feet", feet), ("face", face)):
        if len(part) != SIZES[name]:
            raise InputError(
                f"the {name} of a person have {len(part)} points; COCO-WholeBody needs those of "
                f"OpenPose, {SIZES[name]}"
            )
    return torch.cat([coco_of_body(person.body), feet, face[:68], *hands])


def with_hands_exchanged(person: Person) -> Person:
    """The same person, whose left hand was called the right one."""
    return replace(person, left_hand=person.right_hand, right_hand=person.left_hand)


def hands_are_exchanged(person: Person, seen: float) -> bool:
    """Whether the hands begin nearer to the other side's wrist than to their own.

    False where that cannot be told: where there is no pair of a wrist and a hand on both sides.
    """
    wrists = person.body[list(WRISTS)]
    roots = torch.stack([person.part("left_hand")[0], person.part("right_hand")[0]])
    if not (wrists[:, 2] >= seen).all():
        return False
    away = torch.cdist(roots[:, :2], wrists[:, :2])  # hands by wrists
    there = roots[:, 2] >= seen
    own, other = away.diagonal()[there].sum(), away.flip(1).diagonal()[there].sum()
    return bool(there.any() and other < own)
