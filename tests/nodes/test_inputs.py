"""Every kind of input through the API, all six at once, and keypoints in place of a picture."""

import json

import pytest
from compare import identical, psnr, shows_something
from find_comfyui import ASSETS
from graph import KINDS, Graph

pytestmark = pytest.mark.host

KEYPOINTS = ASSETS / "mmc_pose.json"


def pose_from(g, text, **strength):
    """MMC_Pose from keypoints as JSON text."""
    return g.add(
        "MMC_Pose",
        keypoints=g.add("ProbeKeypoints", text=text),
        adapters=g.adapters,
        **{"weight": 1.5, "start": 0.0, "end": 1.0, **strength},
    )


def depth_of(g, image):
    return g.add("MMC_Depth", image=image, adapters=g.adapters, weight=1.5, start=0.0, end=1.0)


def test_all_six_inputs_act_in_one_graph(comfy):
    g = Graph()
    inputs = [g.text(), *(g.picture(name) for name in KINDS), g.sound()]
    g.save(g.guided(*inputs))
    for left_out in range(len(inputs)):
        g.save(g.guided(*inputs[:left_out], *inputs[left_out + 1 :]))
    everything, *others = comfy.images(g.prompt)
    assert shows_something(everything)
    assert not any(identical(everything, other) for other in others)


def test_keypoints_draw_what_the_skeleton_picture_draws(comfy):
    g = Graph()
    text = g.text("a person")
    g.save(g.guided(text, g.picture("pose"), steps=8))
    g.save(g.guided(text, pose_from(g, KEYPOINTS.read_text()), steps=8))
    g.save(g.guided(text, steps=8))
    from_picture, from_points, without = comfy.images(g.prompt)
    assert psnr(from_picture, from_points) >= 20
    assert psnr(from_picture, from_points) > psnr(from_picture, without) + 6


def test_keypoints_may_be_shares_of_the_canvas(comfy):
    (frame,) = json.loads(KEYPOINTS.read_text())
    points = frame["people"][0]["pose_keypoints_2d"]
    for i in range(0, len(points), 3):
        points[i] /= frame["canvas_width"]
        points[i + 1] /= frame["canvas_height"]
    g = Graph()
    g.save(g.guided(pose_from(g, KEYPOINTS.read_text())))
    g.save(g.guided(pose_from(g, json.dumps([frame]))))
    in_pixels, in_shares = comfy.images(g.prompt)
    assert psnr(in_pixels, in_shares) > 50


def test_the_skeleton_that_comfyui_draws_is_read_as_ours(comfy):
    g = Graph()
    drawn = g.add(
        "SDPoseDrawKeypoints", keypoints=g.add("ProbeKeypoints", text=KEYPOINTS.read_text()),
        draw_body=True, draw_hands=False, draw_face=False, draw_feet=False, stick_width=4,
        face_point_size=3, score_threshold=0.3, draw_head=True,
    )  # fmt: skip
    pose = g.add("MMC_Pose", image=drawn, adapters=g.adapters, weight=1.5, start=0.0, end=1.0)
    text = g.text("a person")
    g.save(g.guided(text, pose, steps=8))
    g.save(g.guided(text, g.picture("pose"), steps=8))
    g.save(g.guided(text, steps=8))
    theirs, ours, without = comfy.images(g.prompt)
    assert psnr(theirs, ours) > psnr(ours, without) + 2


def test_only_the_central_square_of_a_picture_is_read(comfy):
    g = Graph()
    wide = g.add(
        "ImagePadForOutpaint", image=g.asset("depth"), left=80, top=0, right=80, bottom=0,
        feathering=0,
    )  # fmt: skip
    g.save(g.guided(g.text(), depth_of(g, wide)))
    g.save(g.guided(g.text(), g.picture("depth")))
    padded, plain = comfy.images(g.prompt)
    assert identical(padded, plain)


def test_transparency_is_left_out(comfy):
    g = Graph()
    mask = g.add("SolidMask", value=0.7, width=256, height=256)
    see_through = g.add("JoinImageWithAlpha", image=g.asset("depth"), alpha=mask)
    g.save(g.guided(g.text(), depth_of(g, see_through)))
    g.save(g.guided(g.text(), g.picture("depth")))
    with_alpha, plain = comfy.images(g.prompt)
    assert identical(with_alpha, plain)
