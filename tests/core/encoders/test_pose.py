"""POSE_KEYPOINT in both conventions, and what is not POSE_KEYPOINT."""

import json

import pytest
import torch

from mm_core.encoders.control.keypoints import Unsized
from mm_core.encoders.pose import people, read_keypoints
from mm_core.errors import InputError

WIDTH, HEIGHT = 100, 100
# Where BODY_25 keeps the points of BODY_18 (OpenPose's own tables): it has MidHip as number 8.
BODY_25 = [
    "nose", "neck", "rshoulder", "relbow", "rwrist", "lshoulder", "lelbow", "lwrist", "midhip",
    "rhip", "rknee", "rankle", "lhip", "lknee", "lankle", "reye", "leye", "rear", "lear",
    "lbigtoe", "lsmalltoe", "lheel", "rbigtoe", "rsmalltoe", "rheel",
]  # fmt: skip
BODY_18 = [
    "nose", "neck", "rshoulder", "relbow", "rwrist", "lshoulder", "lelbow", "lwrist",
    "rhip", "rknee", "rankle", "lhip", "lknee", "lankle", "reye", "leye", "rear", "lear",
]  # fmt: skip


def frame(*bodies, width=WIDTH, height=HEIGHT):
    return {
        "canvas_width": width,
        "canvas_height": height,
        "people": [{"pose_keypoints_2d": body} for body in bodies],
    }


def body(points=18, x=0.5, y=0.25, confidence=1.0):
    return [x, y, confidence] * points


def test_pixels_become_shares_of_the_canvas():
    found = people(frame(body(x=50.0, y=25.0)), "pose")
    assert torch.equal(found, torch.tensor([0.5, 0.25, 1.0]).expand(1, 18, 3))


def test_shares_of_the_canvas_are_left_alone():
    found = people(frame(body()), "pose")
    assert torch.equal(found, torch.tensor([0.5, 0.25, 1.0]).expand(1, 18, 3))


@pytest.mark.parametrize(("x", "y"), [(150.0, 25.0), (0.75, 0.25)])
def test_of_a_wide_canvas_the_central_square_is_read_as_of_a_picture(x, y):
    found = people(frame(body(x=x, y=y), width=200, height=100), "pose")
    assert found[0, 0].tolist() == pytest.approx([(150 - 50) / 100, 0.25, 1.0])


def test_a_point_that_is_not_seen_does_not_decide_the_convention():
    flat = [*body(17), 900.0, 900.0, 0.0]
    assert people(frame(flat), "pose")[0, 0].tolist() == [0.5, 0.25, 1.0]


def test_one_list_of_people_shares_one_convention():
    found = people(frame(body(x=50.0, y=25.0), body(x=1.0, y=1.0)), "pose")
    assert found[1, 0].tolist() == pytest.approx([1 / WIDTH, 1 / HEIGHT, 1.0])


def test_body_25_is_read_by_the_names_of_its_points():
    flat = [v for k in range(25) for v in (k / 100, 0.5, 1.0)]
    found = people(frame(flat), "pose")[0, :, 0]
    expected = [BODY_25.index(name) / 100 for name in BODY_18]
    assert found.tolist() == pytest.approx(expected)


def test_the_first_frame_of_a_list_is_read():
    found = people([frame(body(x=0.125)), frame(body(x=0.75))], "pose")
    assert found[0, 0, 0] == 0.125


def test_missing_values_are_zero_and_so_not_seen():
    found = people(frame([None, None, None, *body(17)]), "pose")
    assert found[0, 0].tolist() == [0.0, 0.0, 0.0]
    assert found[0, 1].tolist() == [0.5, 0.25, 1.0]


def test_a_file_is_read_like_its_data(tmp_path):
    (tmp_path / "pose.json").write_text(json.dumps([frame(body(x=50.0))]))
    assert torch.equal(read_keypoints(tmp_path / "pose.json"), people(frame(body(x=50.0)), "pose"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "found list"),
        ("text", "found str"),
        ({"persons": []}, r"found \['persons'\]"),
        (frame(), "there is no person in the first frame"),
        (frame(None, []), "there is no person in the first frame"),
        ({**frame(), "people": None}, "damaged keypoints"),
        ({**frame(), "people": ["x"]}, "damaged keypoints"),
        ({**frame(), "people": [{}]}, r"damaged keypoints \(person 1 has no pose_keypoints_2d"),
        (frame([float("nan"), *body()[1:]]), "a coordinate is not a finite number"),
        (frame([float("inf"), *body()[1:]]), "a coordinate is not a finite number"),
        (frame(body(), width=0), r"the canvas is 0\.0 x 100\.0"),
        (frame(body(), height=float("nan")), r"the canvas is 100\.0 x nan"),
        (frame(body(), width=1e-300, height=1e300), r"no points fit a canvas of 1e-300 x 1e\+300"),
    ],
)
def test_what_is_not_keypoints_is_refused_by_name_with_what_is_needed(data, said):
    with pytest.raises(InputError, match=rf"^pose: {said}.*; needed POSE_KEYPOINT JSON"):
        people(data, "pose")


@pytest.mark.parametrize(
    ("flat", "said"),
    [
        (body(17), r"\(17 points\)"),
        (body(15), r"\(15 points\)"),  # OpenPose's model MPI
        (body()[:-1], r"\(53 numbers\)"),
        (["x", *body()[1:]], "could not convert"),
        ([10**400, *body()[1:]], "int too large"),
        ("abc" * 18, "could not convert"),
        (5, "int"),
    ],
)
def test_a_damaged_body_is_refused_by_the_name_of_its_part_and_person(flat, said):
    with pytest.raises(
        InputError,
        match=rf"^pose: pose_keypoints_2d of person 2 is damaged .*{said}.*; needed 18 or 25 "
        "triples of x, y and confidence$",
    ):
        people(frame(body(), flat), "pose")


def test_of_the_body_alone_no_other_part_is_looked_at():
    data = frame(body())
    data["people"][0].update(face_keypoints_2d=[1.0] * 5, hand_left_keypoints_2d="x")
    assert people(data, "pose").shape == (1, 18, 3)


def test_who_has_no_body_is_left_out():
    assert torch.equal(people(frame(None, body(), []), "pose"), people(frame(body()), "pose"))


def test_without_a_canvas_its_size_may_come_from_elsewhere():
    data = {"people": frame(body(x=50.0, y=25.0))["people"]}
    found = people(data, "pose", Unsized((WIDTH, HEIGHT)))
    assert torch.equal(found, people(frame(body(x=50.0, y=25.0)), "pose"))
    with pytest.raises(
        InputError, match=r"^pose: found keypoints without canvas_width and .*elsew"
    ):
        people(data, "pose", Unsized(otherwise=", or elsewhere"))
    with pytest.raises(InputError, match=r"as far as x 50, y 25, and the picture is 40 x 40"):
        people(data, "pose", Unsized((40, 40)))


@pytest.mark.parametrize("content", [b"not json", b"\xff\xfe\x00", b""])
def test_a_file_that_is_not_json_is_refused_by_name(tmp_path, content):
    (tmp_path / "pose.json").write_bytes(content)
    with pytest.raises(InputError, match=r"pose\.json: not JSON .*needed POSE_KEYPOINT"):
        read_keypoints(tmp_path / "pose.json")


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(
        InputError, match=r"none\.json: found nothing, needed a JSON file; check the path"
    ):
        read_keypoints(tmp_path / "none.json")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "pose.json").write_text(json.dumps(frame(body())), encoding="utf-8-sig")
    assert torch.equal(read_keypoints(tmp_path / "pose.json"), people(frame(body()), "pose"))


def test_json_nested_beyond_reading_is_refused_by_name(tmp_path):
    (tmp_path / "pose.json").write_text("[" * 200_000)
    with pytest.raises(InputError, match=r"pose\.json: not JSON "):
        read_keypoints(tmp_path / "pose.json")
