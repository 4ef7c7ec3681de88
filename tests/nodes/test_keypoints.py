"""POSE_KEYPOINT of other producers on our nodes: OpenPose's own, other faces."""

import json

import pytest
import torch
from comfy_server import ServerError
from compare import identical
from find_comfyui import ASSETS
from graph import Graph

pytestmark = pytest.mark.host

(SHIPPED,) = json.loads((ASSETS / "mmc_pose.json").read_text())
# OpenPose's own order: number 8 is the middle of the hips, 19 to 24 are the feet.
SHIPPED_25 = [
    *SHIPPED["people"][0]["pose_keypoints_2d"][:24], 0, 0, 0,
    *SHIPPED["people"][0]["pose_keypoints_2d"][24:], *[0] * 18,
]  # fmt: skip
OWN = {"version": 1.3, "people": [{
    "person_id": [-1], "pose_keypoints_2d": SHIPPED_25, "face_keypoints_2d": [],
    "hand_left_keypoints_2d": [], "hand_right_keypoints_2d": [], "pose_keypoints_3d": [],
}]}  # fmt: skip


def points(g, data):
    return g.add("ProbeKeypoints", text=json.dumps(data))


def empty(g, width, height):
    return g.add("EmptyImage", width=width, height=height, batch_size=1, color=0)


def face(number):
    """A person whose face is dots that do not touch."""
    flat = [v for k in range(number) for v in (9 + 10 * (k % 20), 9 + 10 * (k // 20), 1)]
    person = {"pose_keypoints_2d": [0] * 54, "face_keypoints_2d": flat}
    return [{"canvas_width": 256, "canvas_height": 256, "people": [person]}]


def white(picture):
    return int((torch.tensor(list(picture.getdata())) == 255).all(1).sum())


def test_a_face_of_any_number_of_points_is_drawn_and_handed_on(comfy):
    """29 pixels a disc. ComfyUI's own node, where there is one, draws what ours hands on."""
    g, numbers = Graph(), (56, 69, 98)
    for number in numbers:
        pose = g.add("MMC_EncodePose", keypoints=points(g, face(number)))
        g.save_image(pose)
        g.save_image(g.add("MMC_EncodePose", keypoints=[pose[0], 1]))
    theirs = g.add(
        "SDPoseDrawKeypoints",
        keypoints=[g.add("MMC_EncodePose", keypoints=points(g, face(56)))[0], 1],
        draw_body=True, draw_hands=True, draw_face=True, draw_feet=False, stick_width=4,
        face_point_size=3, score_threshold=0.3, draw_head=True,
    )  # fmt: skip
    g.save_image(theirs)
    *ours, core = comfy.images(g.prompt)
    assert [white(p) for p in ours] == [29 * n for n in numbers for _ in range(2)]
    assert white(core) == 29 * 56


def test_openpose_its_own_json_is_drawn_where_its_picture_is_connected(comfy):
    g, size = Graph(), (SHIPPED["canvas_width"], SHIPPED["canvas_height"])
    own = g.add("MMC_EncodePose", keypoints=points(g, OWN), image=empty(g, *size))
    g.save_image(own)
    g.save_image(g.add("MMC_EncodePose", keypoints=points(g, SHIPPED)))
    strength = {"weight": 1.5, "start": 0.0, "end": 1.0, "adapters": g.adapters}
    for handed in ([own[0], 1], points(g, SHIPPED)):
        g.save(g.guided(g.add("MMC_Pose", keypoints=handed, **strength)))
    one, other, made, wanted = comfy.images(g.prompt)
    assert one.size == size
    assert one.tobytes() == other.tobytes()
    assert identical(made, wanted)


@pytest.mark.parametrize(
    ("node", "given", "said"),
    [
        ("MMC_EncodePose", {}, "were found in, or connect that picture to image"),
        ("MMC_EncodePose", {"image": (64, 64)}, "and the picture is 64 x 64; needed the size of"),
        ("MMC_Pose", {}, "or let Encode Pose do it: connect these and that picture there, and"),
    ],
)
def test_openpose_its_own_json_without_a_size_says_what_to_do(comfy, node, given, said):
    g = Graph()
    given = {name: empty(g, *size) for name, size in given.items()}
    if node == "MMC_Pose":
        given.update(weight=1.5, start=0.0, end=1.0, adapters=g.adapters)
        g.save(g.guided(g.add(node, keypoints=points(g, OWN), **given)))
    else:
        g.save_image(g.add(node, keypoints=points(g, OWN), **given))
    with pytest.raises(ServerError) as error:
        comfy.images(g.prompt)
    assert str(error.value).startswith("the keypoints input: found ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)
