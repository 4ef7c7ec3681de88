"""POSE_KEYPOINT of both producers, back and forth, and what is not POSE_KEYPOINT."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mm_core.encoders.control.keypoints import KEYS, Unsized, frames_of, keypoints_of
from mm_core.encoders.control.people import Frame, Person
from mm_core.encoders.control.skeleton import ANNOTATORS, CORE, XINSIR, draw_frames
from mm_core.errors import InputError

LENGTHS = {"pose_keypoints_2d": 54, "foot_keypoints_2d": 18, "face_keypoints_2d": 210,
           "hand_left_keypoints_2d": 63, "hand_right_keypoints_2d": 63}  # fmt: skip


def flat(n, x=50.0, y=25.0, c=1.0):
    return [x, y, c] * n


def frame(*people, width=200, height=100):
    return {"canvas_width": width, "canvas_height": height, "people": list(people)}


def aux(body=None, **parts):
    """A person as controlnet_aux's DWPose writes one: None for what was not found."""
    keys = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
    return {"pose_keypoints_2d": body or flat(18), **dict.fromkeys(keys), **parts}


def core(c=0.8):
    """A person as ComfyUI's own node writes one: real scores, feet, hands of each other's name.

    The hand that ComfyUI calls right begins at the left wrist, number 7 of the body.
    """
    body = torch.tensor(flat(18, c=c)).view(18, 3)
    body[7, :2], body[4, :2] = torch.tensor([10.0, 10.0]), torch.tensor([90.0, 10.0])
    return {
        "pose_keypoints_2d": body.flatten().tolist(),
        "foot_keypoints_2d": flat(6, c=c),
        "face_keypoints_2d": flat(70, c=c),
        "hand_right_keypoints_2d": flat(21, x=12.0, y=10.0, c=c),
        "hand_left_keypoints_2d": flat(21, x=88.0, y=10.0, c=c),
    }


def test_pixels_stay_pixels_of_the_canvas():
    (read,) = frames_of(frame(aux()), "pose")
    assert (read.width, read.height) == (200, 100)
    assert torch.equal(read.people[0].body, torch.tensor(flat(18)).double().view(18, 3))
    assert read.people[0].face is None


def test_shares_of_the_canvas_become_pixels():
    hand = flat(21, x=1.0, y=0.25)
    person = aux(flat(18, x=0.5, y=0.5), hand_left_keypoints_2d=hand)
    (read,) = frames_of(frame(person), "pose", hands="named")
    assert read.people[0].body[0].tolist() == [100.0, 50.0, 1.0]
    assert read.people[0].left_hand[0].tolist() == [200.0, 25.0, 1.0]


def test_one_point_in_pixels_makes_all_of_them_pixels():
    person = aux(flat(18, x=0.5, y=0.5), face_keypoints_2d=flat(70, x=40.0))
    (read,) = frames_of(frame(person), "pose")
    assert read.people[0].body[0].tolist() == [0.5, 0.5, 1.0]


def test_every_frame_is_read_and_one_may_be_empty():
    read = frames_of([frame(aux()), frame(), frame(aux(), aux())], "pose")
    assert [len(f.people) for f in read] == [1, 0, 2]


def test_scores_of_comfyui_are_kept_and_its_hands_put_right():
    (read,) = frames_of([frame(core())], "pose")
    (person,) = read.people
    assert person.left_hand[0].tolist() == pytest.approx([12.0, 10.0, 0.8])
    assert person.right_hand[0].tolist() == pytest.approx([88.0, 10.0, 0.8])
    assert person.feet.shape == (6, 3)


@pytest.mark.parametrize(("hands", "x"), [("named", 88.0), ("exchanged", 12.0), ("auto", 12.0)])
def test_whose_hands_may_be_said(hands, x):
    (read,) = frames_of(frame(core()), "pose", hands=hands)
    assert read.people[0].left_hand[0, 0] == x


def test_body_25_gives_a_body_and_feet():
    numbers = [v for k in range(25) for v in (10.0 * k, 5.0, 1.0)]
    (read,) = frames_of(frame({"pose_keypoints_2d": numbers}, width=300), "pose")
    assert read.people[0].body[:, 0].div(10).tolist() == [*range(8), *range(9, 19)]
    assert read.people[0].feet[:, 0].div(10).tolist() == [*range(19, 25)]


def test_a_face_of_68_points_gets_the_bodys_eyes():
    numbers = [v for k in range(18) for v in (10.0 * k, 5.0, 1.0)]
    (read,) = frames_of(frame(aux(numbers, face_keypoints_2d=flat(68))), "pose")
    assert read.people[0].face[68:, 0].tolist() == [140, 150]


@pytest.mark.parametrize("points", [1, 56, 68, 69, 70, 98, 468])
@pytest.mark.parametrize("drawing", [ANNOTATORS, XINSIR])
def test_a_face_of_any_number_of_points_is_drawn_as_so_many_discs(points, drawing):
    """29 pixels a disc of radius 3, counted by hand on squared paper; none touches another."""
    face = [v for k in range(points) for v in (10 + 9 * (k % 25), 10 + 9 * (k // 25), 1)]
    person = {"pose_keypoints_2d": [0] * 54, "face_keypoints_2d": face}
    read = frames_of(frame(person, width=260, height=260), "pose")
    eyes = 2 if points == 68 else 0  # of a body that is not there
    assert len(read[0].people[0].face) == points + eyes
    assert int((draw_frames(read, drawing) > 0).all(1).sum()) == 29 * points


def test_core_leaves_only_the_two_eyes_of_a_face_to_the_body():
    def white(points):
        face = [v for k in range(points) for v in (10 + 9 * (k % 25), 10 + 9 * (k // 25), 1)]
        person = {"pose_keypoints_2d": [0] * 54, "face_keypoints_2d": face}
        drawn = draw_frames(frames_of(frame(person, width=260, height=260), "pose"), CORE)
        return int(drawn.all(1).sum()) // 29

    assert [white(n) for n in (56, 68, 69, 70, 98)] == [56, 68, 69, 68, 98]


def test_a_short_face_is_written_as_the_70_points_that_readers_count_on():
    person = aux(face_keypoints_2d=flat(56), foot_keypoints_2d=flat(2))
    (written,) = keypoints_of(frames_of(frame(person), "pose"))
    face = written["people"][0]["face_keypoints_2d"]
    assert face == flat(56) + [0.0] * 42
    assert len(written["people"][0]["foot_keypoints_2d"]) == 18
    (again,) = frames_of(written, "pose")
    assert again.people[0].face[:, 2].tolist() == [1.0] * 56 + [0.0] * 14


def test_a_point_of_which_a_number_is_missing_is_not_there():
    body = flat(18)
    body[0], body[4], body[8] = None, None, None
    (read,) = frames_of(frame(aux(body)), "pose")
    assert read.people[0].body[:4].tolist() == [*[[0.0] * 3] * 3, [50.0, 25.0, 1.0]]


BODY_25_FLAT = [v for k in range(25) for v in (10.0 * k + 5, 5.0, 1.0)]
OWN = {"version": 1.3, "people": [{
    "person_id": [-1], "pose_keypoints_2d": BODY_25_FLAT, "face_keypoints_2d": [],
    "hand_left_keypoints_2d": [], "hand_right_keypoints_2d": [], "pose_keypoints_3d": [],
    "face_keypoints_3d": [], "hand_left_keypoints_3d": [], "hand_right_keypoints_3d": [],
}]}  # fmt: skip


def test_openpose_its_own_json_is_read_where_the_size_is_known():
    (read,) = frames_of(OWN, "pose", unsized=Unsized((300, 100)))
    (sized,) = frames_of({**OWN, "canvas_width": 300, "canvas_height": 100}, "pose")
    assert (read.width, read.height) == (300, 100)
    assert torch.equal(read.people[0].body, sized.people[0].body)
    assert torch.equal(read.people[0].feet, sized.people[0].feet)


def test_a_canvas_that_the_frame_says_is_believed():
    (read,) = frames_of(frame(aux()), "pose", unsized=Unsized((20, 20)))
    assert (read.width, read.height) == (200, 100)


@pytest.mark.parametrize("lacks", [{}, {"canvas_width": 300}, {"canvas_width": None}])
def test_without_a_canvas_what_to_add_is_said(lacks):
    with pytest.raises(
        InputError,
        match=r"^pose: found keypoints without canvas_width and canvas_height, as OpenPose itself "
        "writes them; add both to each frame, the size in pixels of the picture that the points "
        "were found in, or sing$",
    ):
        frames_of({**OWN, **lacks}, "pose", unsized=Unsized(otherwise=", or sing"))


def test_points_beyond_the_picture_say_that_it_is_another_one():
    with pytest.raises(InputError, match=r"^pose: found points as far as x 245, y 5, and the pic"):
        frames_of(OWN, "pose", unsized=Unsized((128, 128)))


def test_an_excluded_body_is_not_there():
    person = {**aux(face_keypoints_2d=flat(70)), "pose_keypoints_2d": None}
    (read,) = frames_of(frame(person), "pose")
    assert (read.people[0].body == 0).all()
    assert read.people[0].face[0].tolist() == [50.0, 25.0, 1.0]


@pytest.fixture
def somebody(rng):
    def part(n):
        return torch.rand(n, 3, generator=rng, dtype=torch.float64) * torch.tensor([200, 100, 1])

    return Person(part(18), part(6), part(70), part(21), part(21))


def test_written_and_read_again_is_the_same(somebody):
    frames = (
        Frame(200, 100, (somebody,)),
        Frame(200, 100),
        Frame(40, 30, (Person(somebody.body),)),
    )
    again = frames_of(json.loads(json.dumps(keypoints_of(frames))), "pose")
    assert [(f.width, f.height, len(f.people)) for f in again] == [
        (200, 100, 1),
        (200, 100, 0),
        (40, 30, 1),
    ]
    for name in KEYS:
        assert torch.equal(getattr(again[0].people[0], name), getattr(somebody, name))
    assert again[2].people[0].face is None


@given(st.floats(0, 1), st.floats(-2, 2))
def test_written_pixels_are_never_taken_for_shares(score, x):
    body = torch.tensor(flat(18, x=x, y=0.5, c=score), dtype=torch.float64).view(18, 3)
    (read,) = frames_of(keypoints_of([Frame(200, 100, (Person(body),))]), "pose")
    assert torch.equal(read.people[0].body, body)


def test_what_is_written_fits_both_readers(somebody):
    (data,) = keypoints_of([Frame(200, 100, (somebody, Person(somebody.body)))])
    assert (data["canvas_width"], data["canvas_height"]) == (200, 100)
    for person in data["people"]:
        assert {key: len(person[key]) for key in LENGTHS} == LENGTHS
        confidences = [c for key in LENGTHS for c in person[key][2::3]]
        assert set(confidences) <= {0.0, 1.0}
        assert all(type(v) is float for key in LENGTHS for v in person[key])
    for (_, _, score), c in zip(
        somebody.body.tolist(), data["people"][0]["pose_keypoints_2d"][2::3], strict=True
    ):
        assert c == float(score >= 0.3)
    assert set(data["people"][1]["face_keypoints_2d"]) == {0.0}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "found no frame"),
        ("text", "found str"),
        ({"persons": []}, r"found \['persons'\]"),
        (
            {"version": "ap10k", "animals": [], "canvas_width": 1, "canvas_height": 1},
            "found animals",
        ),
        ({**frame(aux()), "version": "ap10k"}, "found animals"),
        (frame({}), r"damaged keypoints \(person 1 has no pose_keypoints_2d\)"),
        ({**frame(), "people": None}, r"damaged keypoints \(people is NoneType\)"),
        (frame("x"), "damaged keypoints"),
        (frame(aux(flat(17))), r"pose_keypoints_2d of person 1 is damaged \(17 points\)"),
        (
            frame(aux(), aux(face_keypoints_2d=[1.0] * 169)),
            r"face_keypoints_2d of person 2 is damaged \(169 numbers\)",
        ),
        (
            frame(aux(hand_left_keypoints_2d=flat(20))),
            r"hand_left_keypoints_2d of person 1 is damaged \(20 points\)(?=; needed 21 triples)",
        ),
        (frame(aux(foot_keypoints_2d="x")), r"foot_keypoints_2d of person 1 is damaged \(1 num"),
        (frame(aux(face_keypoints_2d=5)), r"face_keypoints_2d of person 1 is damaged"),
        (frame(aux([float("nan"), *flat(18)[1:]])), "a coordinate is not a finite number"),
        (
            frame(aux(hand_left_keypoints_2d=flat(21, y=float("inf")))),
            "a coordinate is not a finite",
        ),
        (frame(aux(mmc_scores={"pose_keypoints_2d": [1.0]})), "damaged keypoints"),
        (frame(aux(mmc_scores={"pose_keypoints_2d": ["x"] * 18})), "damaged keypoints"),
        (frame(aux(mmc_scores=1)), "damaged keypoints"),
        (frame(aux(), width=0), "the canvas is 0"),
        (frame(aux(), width=0.2), "a canvas is 0 x 100"),
        (frame(aux(), width=1e9), "a canvas is 1000000000 x 100"),
    ],
)
def test_what_is_not_keypoints_is_refused_in_one_line(data, said):
    with pytest.raises(InputError, match=rf"^pose: {said}.*; needed ") as refused:
        frames_of(data, "pose")
    assert "\n" not in str(refused.value)
