"""Folders of encoders: what they give to the Encode nodes, and to samplers from there."""

import ast
import json

import pytest
import torch
from comfy_server import ServerError
from compare import off
from graph_encode import Fusing, entries, words
from schemas import options_of

pytestmark = pytest.mark.host

WHO = [[20, 10, 60, 90], [50, 20, 90, 95]]


class Encoding(Fusing):
    def loaded(self, folder, **given):
        return self.add("MMC_LoadEncoder", folder=folder, **given)

    def photo(self, **given):
        size = {"number": 1, "height": 64, "width": 96, "channels": 3, "nan": False}
        return self.add("ProbePicture", **{**size, **given})

    def sound(self, **given):
        return self.add("ProbeSound", **{"seconds": 1.0, "rate": 16000, "channels": 1, **given})


def test_folders_with_a_config_are_listed_and_no_others(encoders):
    listed = options_of(encoders.get("/object_info/MMC_LoadEncoder"), "MMC_LoadEncoder", "folder")
    assert {"clip", "maker/depth", "pickled", "custom"} <= set(listed)
    assert not {"empty", "maker"} & set(listed)


@pytest.mark.parametrize("folder", ["empty", "../checkpoints", "/tmp", "maker"])
def test_a_folder_that_is_not_listed_cannot_be_named(encoders, folder):
    g = Encoding()
    g.read(g.loaded(folder), 1)
    status, answer = encoders.post("/prompt", {"prompt": g.prompt})
    assert status == 400
    (error,) = next(iter(answer["node_errors"].values()))["errors"]
    assert error["type"] == "value_not_in_list"


def test_the_node_says_what_a_folder_is_good_for(encoders):
    g = Encoding()
    shown = g.read(g.loaded("dinov2"), 1)
    said = words(encoders.run(g.prompt), shown)
    assert said.startswith("DINOv2: image -> ")
    assert said.endswith("gives tokens 32 wide")


def encoded(g, kind):
    if kind == "image":
        clip = g.loaded("clip", kind="image")
        return g.add("MMC_EncodeImage", image=g.photo(), read="one vector", encoder=clip)
    if kind == "frames":
        clip = g.loaded("clip", kind="image")
        return g.add("MMC_EncodeVideo", frames=g.photo(number=6), encoder=clip)
    if kind == "frames, as video":
        clip = g.loaded("clip", kind="video")
        return g.add("MMC_EncodeVideo", frames=g.photo(number=6), encoder=clip)
    if kind == "video":
        frames = g.photo(number=6, height=64, width=64)
        return g.add("MMC_EncodeVideo", frames=frames, encoder=g.loaded("video"))
    return g.add("MMC_EncodeAudio", audio=g.sound(), encoder=g.loaded("wav2vec2"))


@pytest.mark.parametrize(
    ("kind", "shape", "block"),
    [
        ("image", [1, 1, 128], None), ("frames", [1, 6, 128], None),
        ("frames, as video", [1, 6, 128], None), ("video", [1, 8, 32], "ours"),
        ("audio", [1, 49, 32], "ours"),
    ],
)  # fmt: skip
def test_an_embedding_of_each_kind_reaches_a_sampler(encoders, fusions, kind, shape, block):
    g = Encoding()
    alone = g.told(g.fused(encoded(g, kind)))
    fused = g.fused(g.encoded("a red circle"), encoded(g, kind), file=block)
    g.keep(g.drawn(g.fused(g.encoded("a red circle"))))
    g.keep(g.drawn(fused))
    outputs = encoders.run(g.prompt)
    text, both = encoders.saved(outputs)
    assert torch.isfinite(both).all()
    assert off(both, text) > 1e-3
    assert entries(outputs, alone)[0]["shape"] == shape


def test_words_are_read_by_an_encoder_of_ours(encoders):
    g = Encoding()
    said = g.add("MMC_EncodeText", text="abc", encoder=g.loaded("clip", kind="text"))
    told = g.told(g.fused(said))
    assert entries(encoders.run(g.prompt), told)[0]["shape"] == [1, 5, 32]


@pytest.mark.parametrize("folder", ["wav2vec2", "clap"])
@pytest.mark.parametrize(
    ("rate", "channels", "seconds"), [(8000, 1, 1), (96000, 2, 1), (16000, 1, 0.05)]
)
def test_sound_of_any_rate_and_length_is_heard(encoders, folder, rate, channels, seconds):
    g = Encoding()
    sound = g.sound(rate=rate, channels=channels, seconds=seconds)
    told = g.told(g.fused(g.add(
        "MMC_EncodeAudio", audio=sound, encoder=g.loaded(folder, kind="audio"))))  # fmt: skip
    (found,) = entries(encoders.run(g.prompt), told)
    assert found["finite"]
    assert found["shape"][1] > 0


def test_a_photo_of_30_megapixels_gets_a_depth_map(encoders):
    g = Encoding()
    photo = g.photo(height=5000, width=6000, channels=4)
    depth = g.add("MMC_EncodeDepth", image=photo, encoder=g.loaded("maker/depth"))
    g.save_image(g.add("ImageScaleBy", image=depth, upscale_method="area", scale_by=0.01))
    (picture,) = encoders.images(g.prompt)
    assert picture.size == (60, 50)


def controlled(g, control, image):
    """KSampler on the probe's UNet, with a picture for its ControlNet."""
    pair = g.add("ControlNetApplyAdvanced", positive=g.words("a red circle"), negative=g.words(),
                 control_net=control, image=image, strength=1.0, start_percent=0.0,
                 end_percent=1.0)  # fmt: skip
    return g.add("KSampler", model=g.add("ProbeModel"), positive=pair, negative=[pair[0], 1],
                 cfg=1.0, **g.sampling())  # fmt: skip


def test_native_and_our_control_read_the_same_depth_map(encoders):
    """A photo through Encode Depth, to ControlNetApplyAdvanced and to a modality of weight 1."""
    g = Encoding()
    g.model = g.add("ProbeModel")
    depth = g.add("MMC_EncodeDepth", image=g.asset("style"), encoder=g.loaded("maker/depth"))
    net = g.add("ProbeControlNet", seed=1)
    ours = g.add("MMC_Depth", image=depth, control_net=net, weight=1.0, start=0.0, end=1.0)
    g.keep(controlled(g, net, depth))
    g.keep(g.guided(g.text("a red circle", weight=1.0), ours))
    g.keep(g.guided(g.text("a red circle", weight=1.0)))
    native, with_it, without = encoders.latents(g.prompt)
    assert torch.equal(native, with_it)
    assert off(with_it, without) > 1e-4


def test_a_map_is_grey_of_the_pictures_size_and_full_contrast(encoders):
    g = Encoding()
    g.save_image(g.add("MMC_EncodeDepth", image=g.photo(), encoder=g.loaded("maker/depth")))
    (picture,) = encoders.images(g.prompt)
    assert picture.size == (96, 64)
    assert picture.getextrema() == ((0, 255),) * 3
    red, green, blue = picture.split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()


def test_frames_have_one_scale_each_or_together(encoders):
    g = Encoding()
    frames = g.photo(number=3)
    encoder = g.loaded("maker/depth")
    each = g.add("MMC_EncodeDepth", image=frames, encoder=encoder)
    together = g.add("MMC_EncodeDepth", image=frames, encoder=encoder, together=True)
    for found in (each, together):
        g.save_image(found)
    pictures = encoders.images(g.prompt)
    ends = [p.getextrema()[0] for p in pictures]
    assert ends[:3] == [(0, 255)] * 3
    assert ends[3:] != [(0, 255)] * 3
    assert (min(low for low, _ in ends[3:]), max(high for _, high in ends[3:])) == (0, 255)


def test_metres_have_a_fixed_scale_and_shares_have_none(encoders):
    g = Encoding()
    g.save_image(g.add("MMC_EncodeDepth", image=g.photo(), encoder=g.loaded("metric"),
                       scale="fixed", nearest=0.01, farthest=1000.0))  # fmt: skip
    (picture,) = encoders.images(g.prompt)
    assert picture.getextrema()[0][1] < 255  # nothing is within a centimetre
    h = Encoding()
    h.save_image(h.add("MMC_EncodeDepth", image=h.photo(), encoder=h.loaded("maker/depth"),
                       scale="fixed"))  # fmt: skip
    with pytest.raises(ServerError, match=r"^found a fixed scale for inverse depth"):
        encoders.run(h.prompt)


def test_a_map_of_another_pack_is_brought_to_full_contrast(encoders):
    g = Encoding()
    half = g.add("ImageScaleBy", image=g.photo(channels=1), upscale_method="area", scale_by=0.5)
    g.save_image(g.add("MMC_EncodeDepth", image=half))
    (picture,) = encoders.images(g.prompt)
    assert picture.getextrema() == ((0, 255),) * 3
    assert picture.getpixel((0, 31))[0] > picture.getpixel((47, 0))[0]  # the gradient's own side


def test_a_skeleton_is_drawn_of_what_is_found_and_again_of_its_keypoints(encoders):
    g = Encoding()
    boxes = "; ".join(", ".join(map(str, box)) for box in WHO)
    pose = g.add("MMC_EncodePose", image=g.photo(height=100, width=100), boxes=boxes,
                 encoder=g.loaded("pose"))  # fmt: skip
    again = g.add("MMC_EncodePose", keypoints=[pose[0], 1])
    for drawn in (pose, again):
        g.save_image(drawn)
    one, other = encoders.images(g.prompt)
    assert one.size == (100, 100)
    assert one.tobytes() == other.tobytes()
    assert max(high for _, high in one.getextrema()) == 255


def test_points_that_are_less_sure_are_left_out(encoders):
    g = Encoding()
    encoder = g.loaded("pose")
    for least in (0.3, 1.0):
        g.save_image(g.add("MMC_EncodePose", image=g.photo(), encoder=encoder, confidence=least))
    every, sure = encoders.images(g.prompt)
    assert sum(map(bool, sure.convert("L").getdata())) < sum(
        map(bool, every.convert("L").getdata())
    )


def test_hands_and_face_are_drawn_where_they_are_wanted(encoders):
    g = Encoding()
    given = {"image": g.photo(height=256, width=256), "encoder": g.loaded("whole")}
    for hands, face in ((False, False), (True, False), (False, True)):
        g.save_image(g.add("MMC_EncodePose", **given, hands=hands, face=face))
    body, hands, face = (p.tobytes() for p in encoders.images(g.prompt))
    assert len({body, hands, face}) == 3
    whites = [p.count(b"\xff\xff\xff") for p in (body, face)]
    assert whites[0] < whites[1]  # landmarks of a face are white


def test_people_are_found_by_a_detector(encoders):
    g = Encoding()
    photo = g.add("ImageBatch", image1=g.asset("style"), image2=g.asset("pose"))
    pose = g.add("MMC_EncodePose", image=photo,
                 encoder=g.loaded("pose", detector="people"))  # fmt: skip
    shown = g.read(pose, 1)
    frames = ast.literal_eval(words(encoders.run(g.prompt), shown).replace("true", "True"))
    assert len(frames) == 2
    assert max(len(frame["people"]) for frame in frames) > 1


def test_a_photo_is_segmented_into_a_map_and_a_mask_for_each_class(encoders):
    g = Encoding()
    found = g.add("MMC_EncodeSegmentation", image=g.photo(), encoder=g.loaded("segmentation"))
    shown = g.read(found, 2)
    g.save_image(found)
    mask = g.add("MaskToImage", mask=[found[0], 1])
    g.save_image(mask)
    outputs = encoders.run(g.prompt)
    names = words(outputs, shown).split(", ")
    assert set(names) <= {f"thing-{i}" for i in range(12)}
    saved = [o for o in outputs.values() if o.get("images")]
    assert len(saved[0]["images"]) == 1
    assert len(saved[1]["images"]) == len(names)


def test_a_mask_is_where_any_of_the_classes_named_is(encoders):
    g = Encoding()
    encoder = g.loaded("segmentation")
    every = g.add("MMC_EncodeSegmentation", image=g.photo(), encoder=encoder)
    shown = g.read(every, 2)
    names = words(encoders.run(g.prompt), shown).split(", ")
    all_of_them = g.add("MMC_EncodeSegmentation", image=g.photo(), encoder=encoder,
                        classes="; ".join(names))  # fmt: skip
    first = g.add("MMC_EncodeSegmentation", image=g.photo(), encoder=encoder, classes=names[0])
    for node in (all_of_them, first, every):
        g.save_image(g.add("MaskToImage", mask=[node[0], 1]))
    whole, one, *each = encoders.images(g.prompt)
    assert whole.getextrema() == ((255, 255),) * 3
    assert one.tobytes() == each[0].tobytes()


def test_masks_painted_as_classes_are_read_back(encoders):
    g = Encoding()
    half = g.add("SolidMask", value=1.0, width=64, height=32)
    whole = g.add("SolidMask", value=0.0, width=64, height=64)
    mask = g.add("MaskComposite", destination=whole, source=half, x=0, y=0, operation="add")
    painted = g.add("MMC_EncodeSegmentation", mask=mask, classes="tree")
    back = g.add("MMC_EncodeSegmentation", image=painted, classes="tree, person")
    shown = g.read(back, 2)
    g.save_image(painted)
    g.save_image(g.add("MaskToImage", mask=[back[0], 1]))
    outputs = encoders.run(g.prompt)
    assert words(outputs, shown) == "tree"
    painting, seen = encoders.images(g.prompt)
    assert painting.getpixel((5, 5)) == (4, 200, 3)
    assert painting.getpixel((5, 40)) == (0, 0, 0)
    assert seen.getpixel((5, 5)) == (255, 255, 255)
    assert seen.getpixel((5, 40)) == (0, 0, 0)


def test_segment_anything_is_asked_by_points_and_boxes(encoders):
    g = Encoding()
    encoder = g.loaded("sam")
    point = g.add("MMC_EncodeSegmentation", image=g.photo(), encoder=encoder, points="20, 30")
    boxes = g.add("MMC_EncodeSegmentation", image=g.photo(), encoder=encoder,
                  boxes="10, 10, 40, 40; 50, 20, 90, 60")  # fmt: skip
    shown = [g.read(n, 2) for n in (point, boxes)]
    outputs = encoders.run(g.prompt)
    assert [words(outputs, s) for s in shown] == ["thing 1", "thing 1, thing 2"]


@pytest.mark.parametrize(
    ("node", "encoder"),
    [
        ("MMC_EncodeDepth", "maker/depth"), ("MMC_EncodePose", "pose"),
        ("MMC_EncodeSegmentation", "segmentation"),
    ],
)  # fmt: skip
def test_a_map_comes_to_the_size_of_the_latent(encoders, node, encoder):
    """A padded map has its picture in the middle, and black above and below it."""
    g = Encoding()
    given = {"image": g.photo(), "encoder": g.loaded(encoder)}
    for sized in ({}, {"width": 96, "height": 128, "fit": "pad"}, {"width": 64, "height": 64}):
        g.save_image(g.add(node, **given, **sized))
    own, padded, cut = encoders.images(g.prompt)
    assert (own.size, padded.size, cut.size) == ((96, 64), (96, 128), (64, 64))
    assert padded.crop((0, 32, 96, 96)).tobytes() == own.tobytes()
    if node != "MMC_EncodePose":  # drawn at its size: limbs reach beyond the picture
        assert padded.crop((0, 0, 96, 32)).getextrema() == ((0, 0),) * 3
        assert cut.tobytes() == own.crop((16, 0, 80, 64)).tobytes()


def test_keypoints_and_masks_come_to_that_size_too(encoders):
    g = Encoding()
    size = {"width": 96, "height": 128, "fit": "pad"}
    pose = g.add("MMC_EncodePose", image=g.photo(), encoder=g.loaded("pose"), **size)
    again = g.add("MMC_EncodePose", keypoints=[pose[0], 1])
    found = g.add("MMC_EncodeSegmentation", image=g.photo(), encoder=g.loaded("segmentation"),
                  **size)  # fmt: skip
    for image in (pose, again, g.add("MaskToImage", mask=[found[0], 1])):
        g.save_image(image)
    drawn, same, *masks = encoders.images(g.prompt)
    assert drawn.tobytes() == same.tobytes()
    assert {m.size for m in masks} == {(96, 128)}


SAID = {
    "pickled": (lambda g: g.loaded("pickled"), "found only pytorch_model.bin, which is pickled"),
    "custom": (lambda g: g.loaded("custom"), "its own code .auto_map. is never run"),
    "two kinds": (lambda g: g.loaded("clip"), "serves for text and image; say which"),
    "another kind": (lambda g: g.loaded("dinov2", kind="audio"), "needed one of audio"),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_a_folder_that_is_no_encoder_is_refused_in_a_sentence(encoders, case):
    make, said = SAID[case]
    g = Encoding()
    g.read(make(g), 1)
    with pytest.raises(ServerError, match=said) as error:
        encoders.run(g.prompt)
    assert "\n" not in str(error.value)
    assert not list(encoders.base.rglob("ran"))


WRONG = {
    "a depth estimator for pictures": (
        lambda g: g.fused(g.add("MMC_EncodeImage", image=g.photo(),
                                encoder=g.loaded("maker/depth"))),
        r"^the encoder depth \(Depth Anything\) is one of depth, and Encode Image needs one of "
        r"image: connect it to Encode Depth, or load another$",
    ),
    "a map as an embedding": (
        lambda g: g.fused([g.add("MMC_EncodePose", image=g.photo(),
                                 encoder=g.loaded("pose"))[0], 2]),
        r"^the encoder pose \(ViTPose\) gives a map and no tokens: connect its picture to Encode "
        r"Image, and that to Fuse Embeddings$",
    ),
    "half a size": (
        lambda g: g.save_image(g.add("MMC_EncodeDepth", image=g.photo(), width=512)),
        r"^the map's size is 512 x 0; give both sides, or 0 and 0 for the picture's own$",
    ),
    "half a box": (
        lambda g: g.save_image(g.add("MMC_EncodePose", image=g.photo(), boxes="1, 2, 3",
                                     encoder=g.loaded("pose"))),
        r"^found '1, 2, 3' among the boxes; needed left, top, right, bottom in pixels",
    ),
    "a class that is not known": (
        lambda g: g.save_image(g.add("MMC_EncodeSegmentation", image=g.photo(), classes="dragon",
                                     encoder=g.loaded("segmentation"))),
        r"^found no class 'dragon'; needed one of the model's 12: thing-0, ",
    ),
    "a point for a model of classes": (
        lambda g: g.save_image(g.add("MMC_EncodeSegmentation", image=g.photo(), points="9, 9",
                                     encoder=g.loaded("segmentation"))),
        r"^points and boxes are for Segment Anything, and segmentation \(SegFormer\) finds classes",
    ),
    "a pose that is no number": (
        lambda g: g.save_image(g.add("MMC_EncodePose", keypoints=g.add(
            "ProbeKeypoints", text=json.dumps([{"canvas_width": 9, "canvas_height": 9, "people": [
                {"pose_keypoints_2d": [float("nan"), 1, 1] * 18}]}])))),
        r"^the keypoints input: a coordinate is not a finite number",
    ),
    "nobody asked": (
        lambda g: g.save_image(g.add("MMC_EncodePose", image=g.photo())),
        r"^the pose input has no encoder: connect encoder or keypoints$",
    ),
    "a point for a painted picture": (
        lambda g: g.save_image(g.add("MMC_EncodeSegmentation", image=g.photo(), points="9, 9")),
        r"^points and boxes are for Segment Anything, and no encoder is connected",
    ),
    "more masks than classes": (
        lambda g: g.save_image(g.add("MMC_EncodeSegmentation", mask=g.add(
            "ImageToMask", image=g.photo(number=151), channel="red"))),
        r"^there are 151 masks and 150 classes in ",
    ),
    "a box outside": (
        lambda g: g.save_image(g.add("MMC_EncodeSegmentation", image=g.photo(),
                                     boxes="1000, 1000, 1200, 1200", encoder=g.loaded("sam"))),
        r"found a box outside the picture of 96 x 64 pixels",
    ),
    "a sliver": (
        lambda g: g.save_image(g.add("MMC_EncodeDepth", image=g.photo(), width=16384, height=8,
                                     fit="crop")),
        r"would scale them to 16384 x 10923",
    ),
    "a point outside": (
        lambda g: g.save_image(g.add("MMC_EncodeSegmentation", image=g.photo(), points="500, 3",
                                     encoder=g.loaded("sam"))),
        r"found a point outside the picture of 96 x 64 pixels",
    ),
    "no detector for depth": (
        lambda g: g.read(g.loaded("maker/depth", detector="pose"), 1),
        r"^depth is an encoder of depth, which needs no detector of people: set detector to none$",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_encoded_is_said_in_one_sentence(encoders, case):
    make, said = WRONG[case]
    g = Encoding()
    node = make(g)
    if g.prompt[node[0]]["class_type"] == "MMC_Fuse":
        g.told(node)
    with pytest.raises(ServerError, match=said) as error:
        encoders.run(g.prompt)
    assert "\n" not in str(error.value)
