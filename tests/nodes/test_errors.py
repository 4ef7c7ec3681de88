"""What a user reads when an input cannot be used: one sentence, of ours, that says what to do."""

import pytest
from comfy_server import ServerError
from find_comfyui import PACK
from graph import Graph

pytestmark = pytest.mark.host

PAGES = PACK / "web" / "docs"
STRENGTH = {"weight": 1.5, "start": 0.0, "end": 1.0}
WORDS = (
    "a an the and in with arms person shirt between on red green blue yellow orange purple white "
    "black circle square triangle star ring heart gradient stripes checks dots waves rings small "
    "large up down out left of right above below at top bottom center"
)
POSE_JSON = "needed POSE_KEYPOINT JSON: people with 18 pose_keypoints_2d triples, or 25 in BODY_25"


def photo_as_segmentation(g):
    return g.picture("segmentation", asset="style")


def pose_without_input(g):
    return g.add("MMC_Pose", adapters=g.adapters, **STRENGTH)


def pose_with_both_inputs(g):
    points = g.add("ProbeKeypoints", text="[]")
    return g.add(
        "MMC_Pose", image=g.asset("pose"), keypoints=points, adapters=g.adapters, **STRENGTH
    )


def nobody(g):
    frame = '[{"canvas_width": 256, "canvas_height": 256, "people": []}]'
    return g.add(
        "MMC_Pose", keypoints=g.add("ProbeKeypoints", text=frame), adapters=g.adapters, **STRENGTH
    )


def style_without_adapters(g):
    return g.add("MMC_StyleImage", image=g.asset("style"), **STRENGTH)


def style_without_picture(g):
    return g.add("MMC_StyleImage", adapters=g.adapters, **STRENGTH)


def a_click(g):
    sound = g.add("EmptyAudio", duration=0.02, sample_rate=16000, channels=2)
    return g.add("MMC_Audio", audio=sound, adapters=g.adapters, **STRENGTH)


def backward_window(g):
    return g.text(start=0.6, end=0.3)


def unknown_word(g):
    return g.text("a crimson circle")


def too_many_words(g):
    return g.text("a red circle and " * 6)


def three_styles(g):
    pictures = g.add("RepeatImageBatch", image=g.asset("style"), amount=3)
    return g.add("MMC_StyleImage", image=pictures, adapters=g.adapters, **STRENGTH)


UNKNOWN = (
    "the embedded model does not know 'crimson' (nearest: person, ring, arms); "
    f"its 45 words are: {WORDS}"
)
SAID = {
    photo_as_segmentation: "the image input: 93% of the pixels have none of the palette's colours; "
    "needed a segmentation painted in "
    "#000000 #e6194b #3cb44b #ffe119 #0082c8 #f58230 #911eb4 #f0f0f0",
    pose_without_input: "found neither of image and keypoints; connect exactly one of them",
    pose_with_both_inputs: "found both of image and keypoints; connect exactly one of them",
    nobody: f"the keypoints input: there is no person in the first frame; {POSE_JSON}",
    style_without_adapters: "the style input has no encoder: connect adapters, "
    "from Load Embedded Model, or an ip_adapter",
    style_without_picture: "the style input has no picture: connect image, or clip_vision_output "
    "of a picture or a prior",
    a_click: "the audio input: 320 samples at 16000 Hz are too few to hear; "
    "needed at least 0.05 s",
    backward_window: "text: the window runs from 0.6 to 0.3; both ends must lie in 0..1 "
    "with the start first",
    unknown_word: UNKNOWN,
    too_many_words: "the prompt has 24 words; the embedded model reads at most 23: shorten it",
    three_styles: "the style input has a batch of 3 where 2 pictures are made; "
    "give one input, or 2",
}  # fmt: skip


@pytest.mark.parametrize("make", SAID, ids=lambda make: make.__name__)
def test_the_message_says_what_was_found_and_what_to_do(comfy, make):
    g = Graph()
    g.save(g.guided(make(g), latent_image=g.empty(batch=2)))
    with pytest.raises(ServerError) as error:
        comfy.run(g.prompt)
    assert str(error.value) == SAID[make]


@pytest.mark.parametrize("make", SAID, ids=lambda make: make.__name__)
def test_a_help_page_quotes_the_message(make):
    pages = [" ".join(page.read_text().split()) for page in PAGES.glob("*.md")]
    opening = " ".join(SAID[make].split()[:9])
    assert any(opening in page for page in pages), opening


def test_the_native_prompt_node_says_it_too(comfy):
    g = Graph()
    g.save(g.native("a crimson circle"))
    with pytest.raises(ServerError) as error:
        comfy.run(g.prompt)
    assert str(error.value) == UNKNOWN


def test_a_weight_out_of_range_is_refused_before_it_runs(comfy):
    g = Graph()
    text = g.text(weight=30.0)
    g.save(g.guided(text))
    status, answer = comfy.post("/prompt", {"prompt": g.prompt})
    assert status == 400
    (error,) = answer["node_errors"][text[0]]["errors"]
    assert error["type"] == "value_bigger_than_max"


def test_the_next_run_works_after_an_error(comfy):
    g = Graph()
    g.save(g.guided(g.text()))
    assert len(comfy.images(g.prompt)) == 1
