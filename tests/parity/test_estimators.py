"""Depth, pose and segmentation against transformers, called as its own documentation does it."""

import importlib.util
import json
from pathlib import Path

import pytest
import tiny_estimators as tiny
import torch
import torch.nn.functional as F
from PIL import Image

from mm_core.encoders.boxes import with_size
from mm_core.encoders.families import load_encoder

pytestmark = [
    pytest.mark.parity,
    # Of other packages, about themselves.
    pytest.mark.filterwarnings("ignore"),
]
SIZES = [(50, 75), (96, 41), (33, 33)]
TORCHVISION = pytest.mark.skipif(
    importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed"
)
SCIPY = pytest.mark.skipif(
    importlib.util.find_spec("scipy") is None, reason="scipy is not installed"
)
FIRST = {"local_files_only": True, "trust_remote_code": False}


def pictures(height, width, count=2):
    """Soft blobs in 8-bit colours, so that no rounding stands between both ways."""
    rng = torch.Generator().manual_seed(0)
    small = torch.rand(count, 3, 5, 5, generator=rng)
    large = F.interpolate(small, (height, width), mode="bicubic").clamp(0, 1)
    return (large * 255).round() / 255


def image(picture):
    return Image.fromarray((picture * 255).round().byte().permute(1, 2, 0).contiguous().numpy())


def read_image(folder):
    from transformers import AutoImageProcessor

    return AutoImageProcessor.from_pretrained(folder, **FIRST)


@pytest.fixture
def folder(tmp_path):
    return Path(tmp_path)


def depth_of(model, processor, picture, height, width):
    inputs = processor(images=image(picture), return_tensors="pt")
    with torch.no_grad():
        out = model(**inputs)
    more = {"source_sizes": [(height, width)]} if "Zoe" in type(processor).__name__ else {}
    if not more:
        more = {"target_sizes": [(height, width)]}
    return processor.post_process_depth_estimation(out, **more)[0]["predicted_depth"]


DEPTHS = {
    "dpt": (lambda f: tiny.dpt(f), "inverse"),
    "depth_anything": (lambda f: tiny.depth_anything(f), "inverse"),
    "depth_anything_metric": (
        lambda f: tiny.depth_anything(f, depth_estimation_type="metric", max_depth=20),
        "metres",
    ),
    "zoedepth": (lambda f: tiny.zoedepth(f), "metres"),
    "depth_pro": (lambda f: tiny.depth_pro(f), "metres"),
}
NEEDY = {"zoedepth", "depth_pro"}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[TORCHVISION] if n in NEEDY else []) for n in DEPTHS]
)
def test_depth_is_what_transformers_gives(folder, name, size):
    build, unit = DEPTHS[name]
    model = build(folder)
    given = pictures(*size)
    found = load_encoder(folder)(given)
    want = [depth_of(model, read_image(folder), p, *size) for p in given]
    assert found.depth_unit == unit
    assert found.depth.std() > 1e-3 * found.depth.mean()
    assert torch.equal(found.depth[:, 0], torch.stack(want))


@TORCHVISION
def test_depth_pro_without_a_field_of_view_gives_the_inverse(folder):
    model = tiny.depth_pro(folder, view=False)
    (picture,) = given = pictures(50, 75, count=1)
    encoder = load_encoder(folder)
    found = encoder(given)
    want = depth_of(model, read_image(folder), picture, 50, 75)
    assert found.depth_unit == "inverse"
    assert "no scale" in encoder.note
    assert torch.equal(found.depth[0, 0], 1 / want)


@SCIPY
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"classic": True},
        {"experts": 6},
        {"joints": 133},
        {"joints": 133, "experts": 6},
    ],
    ids=str,
)
def test_poses_are_what_transformers_gives(folder, options):
    from mm_core.encoders.body import person
    from mm_core.encoders.control.keypoints import keypoints_of
    from mm_core.encoders.control.people import Frame
    from mm_core.encoders.pose_estimation import Boxed

    model = tiny.vitpose(folder, **options)
    given = pictures(90, 120, count=1)
    corners = torch.tensor([[5.0, 5.0, 60.0, 85.0], [50.0, 0.0, 118.0, 40.0]])
    boxes = [with_size(corners).tolist()]
    processor = read_image(folder)
    inputs = processor(images=image(given[0]), boxes=boxes, return_tensors="pt")
    expert = 5 if options.get("joints") == 133 else 0
    more = {"dataset_index": torch.tensor([expert] * 2)} if "experts" in options else {}
    with torch.no_grad():
        out = model(**inputs, **more)
    want = processor.post_process_pose_estimation(out, boxes=boxes)[0]
    people = tuple(person(one["keypoints"], one["scores"]) for one in want)
    found = load_encoder(folder)(Boxed(given, [corners])).keypoints
    assert len(people) == 2
    assert found == keypoints_of([Frame(120, 90, people)])
    assert any((one["scores"] > 0.3).any() for one in want)


@SCIPY
def test_people_are_where_transformers_finds_them(folder):
    from mm_core.encoders.pose_estimation import with_detector

    pose, people = folder / "pose", folder / "people"
    pose.mkdir()
    people.mkdir()
    tiny.vitpose(pose)
    model = tiny.rt_detr(people)
    given = pictures(360, 480, count=1)
    processor = read_image(people)
    with torch.no_grad():
        out = model(**processor(images=image(given[0]), return_tensors="pt"))
    want = processor.post_process_object_detection(out, threshold=0.3, target_sizes=[(360, 480)])[0]
    encoder = with_detector(load_encoder(pose), people)
    boxes = encoder.detector(given)
    large = (with_size(want["boxes"])[:, 2:] >= 2).all(1)  # the others show no person
    assert torch.equal(boxes, want["boxes"][(want["labels"] == 2) & large])
    assert 0 < len(boxes) < large.sum()
    (found,) = encoder(given).keypoints
    assert len(found["people"]) == len(boxes)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["segformer", pytest.param("mask2former", marks=SCIPY)])
def test_classes_are_what_transformers_gives(folder, name, size):
    model = getattr(tiny, name)(folder)
    processor = read_image(folder)
    given = pictures(*size)
    found = load_encoder(folder)(given)
    for picture, classes in zip(given, found.classes, strict=True):
        with torch.no_grad():
            out = model(**processor(images=image(picture), return_tensors="pt"))
        (want,) = processor.post_process_semantic_segmentation(out, target_sizes=[size])
        assert torch.equal(classes, want)
    assert len(found.labels) > 1


@SCIPY
@pytest.mark.parametrize("size", SIZES)
def test_classes_are_what_oneformers_processor_gives(folder, size):
    from transformers import CLIPTokenizer, OneFormerProcessor

    model = tiny.oneformer(folder)
    given = pictures(*size)
    found = load_encoder(folder)(given)
    classes = folder / "ade20k_panoptic.json"  # looked for on a hub where it is not in the folder
    classes.write_text("{}")
    said = json.loads((folder / "preprocessor_config.json").read_text())
    said["class_info_file"] = str(classes)
    (folder / "preprocessor_config.json").write_text(json.dumps(said))
    processor = OneFormerProcessor(
        read_image(folder), CLIPTokenizer.from_pretrained(folder, **FIRST),
        task_seq_length=24,
    )  # fmt: skip
    for picture, classes in zip(given, found.classes, strict=True):
        inputs = processor(image(picture), ["semantic"], return_tensors="pt")
        inputs.pop("text_inputs", None)
        with torch.no_grad():
            out = model(**inputs)
        (want,) = processor.post_process_semantic_segmentation(out, target_sizes=[size])
        assert torch.equal(classes, want)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["sam", pytest.param("sam2", marks=TORCHVISION)])
def test_masks_are_what_transformers_gives(folder, name, size):
    import transformers

    from mm_core.encoders.prompts import Prompted

    if name == "sam2" and not hasattr(transformers, "Sam2Model"):
        pytest.skip("this release of transformers has no SAM 2")
    model = getattr(tiny, name)(folder)
    named = {"sam": "SamProcessor", "sam2": "Sam2Processor"}[name]
    processor = getattr(transformers, named)(read_image(folder))
    height, width = size
    points = torch.tensor([[7.0, 9.0, 1.0], [width - 3.0, 4.0, 0.0]])
    boxes = torch.tensor([[3.0, 2.0, 30.0, 31.0], [0.0, 0.0, width - 1.0, height / 2]])
    given = pictures(*size, count=1)
    asked = {
        "points": (
            Prompted(given, points=points),
            {
                "input_points": [[points[:, :2].tolist()]],
                "input_labels": [[points[:, 2].long().tolist()]],
            },
        ),
        "boxes": (Prompted(given, boxes=boxes), {"input_boxes": [boxes.tolist()]}),
        "both": (
            Prompted(given, points, boxes[:1]),
            {
                "input_points": [[points[:, :2].tolist()]],
                "input_labels": [[points[:, 2].long().tolist()]],
                "input_boxes": [boxes[:1].tolist()],
            },
        ),
    }
    encoder = load_encoder(folder)
    for ours, theirs in asked.values():
        inputs = processor(image(given[0]), return_tensors="pt", **theirs)
        sizes = [inputs.pop("original_sizes")]
        if "reshaped_input_sizes" in inputs:
            sizes.append(inputs.pop("reshaped_input_sizes"))
        with torch.no_grad():
            out = model(**inputs)
        (masks,) = processor.post_process_masks(out.pred_masks, *sizes)
        best = out.iou_scores[0].argmax(-1)
        want = masks[torch.arange(len(best)), best].float()
        found = encoder(ours)
        assert 0 < want.mean() < 1
        assert torch.equal(found.masks[0], want)
        assert found.labels == tuple(f"thing {i + 1}" for i in range(len(want)))
