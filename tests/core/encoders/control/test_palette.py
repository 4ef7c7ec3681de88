"""The published colours, painting and reading back, masks."""

import pytest
import torch

from mm_core.encoders.control.palette import (
    ADE20K,
    COCO,
    COCO_THINGS,
    PALETTES,
    Palette,
    classes_of,
    mask_of,
    masks_of,
    paint,
)
from mm_core.errors import InputError

every_palette = pytest.mark.parametrize("palette", PALETTES.values(), ids=list(PALETTES))

# Spot checks against the published tables (mmsegmentation's for ADE20K, panopticapi's for COCO).
PUBLISHED = [
    (ADE20K, 0, "wall", (120, 120, 120)),
    (ADE20K, 2, "sky", (6, 230, 230)),
    (ADE20K, 12, "person", (150, 5, 61)),
    (ADE20K, 20, "car", (0, 102, 200)),
    (ADE20K, 60, "river", (11, 200, 200)),
    (ADE20K, 104, "fountain", (8, 184, 170)),
    (ADE20K, 127, "bicycle", (255, 245, 0)),
    (ADE20K, 149, "flag", (92, 0, 255)),
    (COCO, 0, "person", (220, 20, 60)),
    (COCO, 16, "dog", (0, 226, 252)),
    (COCO, 79, "toothbrush", (191, 162, 208)),
    (COCO, 80, "banner", (255, 255, 128)),
    (COCO, 119, "sky-other-merged", (70, 130, 180)),
    (COCO, 132, "rug-merged", (250, 141, 255)),
]


def test_palettes_have_their_published_sizes():
    assert [len(p.colors) for p in (ADE20K, COCO, COCO_THINGS)] == [150, 133, 80]


@pytest.mark.parametrize(("palette", "index", "name", "color"), PUBLISHED)
def test_a_class_has_its_published_colour(palette, index, name, color):
    assert palette.index(name) == index
    assert palette.colors[index] == color


@every_palette
def test_names_are_told_apart_and_so_are_colours_but_one(palette):
    assert len(set(palette.classes)) == len(palette.classes)
    same = {palette.classes[k] for k, c in enumerate(palette.colors) if palette.colors.count(c) > 1}
    assert same == ({"road", "skyscraper"} if palette is ADE20K else set())


def ramp(palette):
    """Every class once, and none."""
    return torch.arange(-1, len(palette.classes)).view(1, 1, -1)


@every_palette
def test_painted_and_read_again_is_the_same(palette):
    classes = ramp(palette)
    read = classes_of(paint(classes, palette), palette, "map.png")
    expected = classes.clone()
    if palette is ADE20K:  # the skyscraper has the road's colour
        expected[expected == palette.index("skyscraper")] = palette.index("road")
    assert torch.equal(read, expected)


@every_palette
def test_a_class_is_painted_in_its_colour_and_none_is_black(palette):
    picture = paint(ramp(palette), palette)
    assert picture[0, :, 0, 0].tolist() == [0, 0, 0]
    painted = (picture[0, :, 0, 1:].T * 255).round().int().tolist()
    assert painted == [list(c) for c in palette.colors]


def test_small_errors_of_compression_are_forgiven(noise):
    classes = noise(2, 6, 7).abs().mul(10).long().remainder(40)
    smeared = (paint(classes, ADE20K) + 0.008 * noise(2, 3, 6, 7).clamp(-1, 1)).clamp(0, 1)
    assert torch.equal(classes_of(smeared, ADE20K, "map.png"), classes)


def test_a_picture_in_no_palette_is_refused_without_naming_all_150():
    said = r"map\.png: 100% of the pixels .* #787878 .* and 135 more$"
    with pytest.raises(InputError, match=said):
        classes_of(
            torch.tensor([0.0, 0.4, 0.0]).view(1, 3, 1, 1).expand(-1, -1, 4, 4), ADE20K, "map.png"
        )


def test_a_class_that_the_palette_lacks_is_refused():
    with pytest.raises(InputError, match="found class 140; COCO has 133"):
        paint(torch.full((1, 2, 2), 140), COCO)


def test_an_unknown_name_is_answered_with_the_names():
    with pytest.raises(InputError, match="COCO has no class 'unicorn'; needed one of: person, bic"):
        COCO.index("unicorn")


def test_a_palette_has_a_colour_for_each_class():
    with pytest.raises(InputError, match="mine has 1 colours and 2 classes"):
        Palette("mine", ((1, 2, 3),), ("a", "b"))


def test_masks_are_where_classes_are_and_cover_what_is_labelled():
    classes = torch.tensor([[[0, 12, 12], [-1, 2, 0]]])
    masks = masks_of(classes, ADE20K)
    assert list(masks) == ["wall", "sky", "person"]
    assert masks["person"].tolist() == [[[False, True, True], [False, False, False]]]
    assert torch.equal(torch.stack(list(masks.values())).sum(0), (classes >= 0).long())


def test_one_mask_is_a_number_at_each_pixel():
    classes = torch.tensor([[[0, 12]]])
    assert mask_of(classes, ADE20K, "person").tolist() == [[[0.0, 1.0]]]
    assert mask_of(classes, ADE20K, "car").sum() == 0
