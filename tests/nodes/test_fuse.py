"""Several embeddings as one CONDITIONING, in samplers of the host's and in ours."""

import pytest
import torch
from comfy_server import ServerError
from compare import off
from graph_encode import Fusing, entries, words

pytestmark = pytest.mark.host

ONE, OTHER = "a red circle", "a large blue star on the left"


def latents(comfy, g, *sampled):
    for latent in sampled:
        g.keep(latent)
    return comfy.latents(g.prompt)


@pytest.mark.parametrize("probe", ["ProbeModel", "ProbeDiT"])
@pytest.mark.parametrize("mode", ["concat", "average", "norm_average"])
def test_one_text_is_the_native_prompt_bit_for_bit(comfy, mode, probe):
    g = Fusing()
    native = g.drawn(g.words(ONE), probe)
    core, ours = latents(comfy, g, native, g.drawn(g.fused(g.encoded(ONE), mode=mode), probe))
    assert torch.equal(core, ours)


def test_two_texts_side_by_side_are_cores_concat(comfy):
    g = Fusing()
    both = g.add("ConditioningConcat", conditioning_to=g.words(ONE),
                 conditioning_from=g.words(OTHER))  # fmt: skip
    fused = g.fused(g.encoded(ONE), g.encoded(OTHER))
    probes = g.told(both), g.told(fused)
    g.keep(g.drawn(both))
    g.keep(g.drawn(fused))
    outputs = comfy.run(g.prompt)
    core, ours = comfy.saved(outputs)
    assert torch.equal(core, ours)
    told = [entries(outputs, p)[0] for p in probes]
    assert told[0] == told[1]


def test_the_mean_of_two_texts_is_cores_average(comfy):
    g = Fusing()
    core = g.add("ConditioningAverage", conditioning_to=g.words(ONE),
                 conditioning_from=g.words(OTHER), conditioning_to_strength=0.5)  # fmt: skip
    ours = g.fused(g.encoded(ONE), g.encoded(OTHER), mode="average")
    one, other = latents(comfy, g, g.drawn(core), g.drawn(ours))
    assert off(one, other) < 1e-4


def test_a_prompt_of_native_nodes_keeps_all_it_carries_and_its_entries(comfy):
    g = Fusing()
    early = g.add("ConditioningSetTimestepRange", conditioning=g.words(ONE), start=0.0, end=0.5)
    two = g.add("ConditioningCombine", conditioning_1=early, conditioning_2=g.words(OTHER))
    fused = g.fused(g.picture_vector(), conditioning=two)
    before, after = g.told(two), g.told(fused)
    outputs = comfy.run(g.prompt)
    told, made = entries(outputs, before), entries(outputs, after)
    assert len(made) == 2
    for was, now in zip(told, made, strict=True):
        assert now["options"] == was["options"]
        assert now["shape"][1] == was["shape"][1] + 1
    assert made[0]["options"]["end_percent"] == "0.5"


def test_rows_of_77_share_one_call_of_the_network(comfy):
    g = Fusing()
    probe = g.told(g.fused(g.encoded(ONE), g.picture_vector(), mode="concat_77"))
    assert entries(comfy.run(g.prompt), probe)[0]["shape"] == [1, 77, 128]


def test_as_a_modality_of_ours_it_is_the_native_prompt_too(comfy):
    g = Fusing()
    g.model = g.add("ProbeModel")
    strength = {"weight": 3.0, "start": 0.0, "end": 1.0, "name": "both"}
    both = g.add("ConditioningConcat", conditioning_to=g.words(ONE),
                 conditioning_from=g.words(OTHER))  # fmt: skip
    fused = g.fused(g.encoded(ONE), g.encoded(OTHER))
    drawn = [g.guided(g.add("MMC_Condition", conditioning=c, **strength)) for c in (both, fused)]
    core, ours = latents(comfy, g, *drawn)
    assert torch.equal(core, ours)


def test_pictures_of_a_batch_are_samples_of_their_own(comfy):
    g = Fusing()
    two = g.add("ImageBatch", image1=g.asset("style"), image2=g.asset("depth"))
    vision = g.add("ProbeVision", width=128)

    def drawn(image, batch):
        picture = g.add("MMC_EncodeImage", image=image, clip_vision=vision, read="one vector")
        return g.drawn(g.fused(g.encoded(ONE), picture), latent_image=g.empty(batch=batch))

    both, first = latents(comfy, g, drawn(two, 2), drawn(g.asset("style"), 1))
    assert off(both[:1], first) < 1e-4
    assert off(both[1:], both[:1]) > 1e-3


def test_pictures_together_are_one_sample(comfy):
    g = Fusing()
    two = g.add("RepeatImageBatch", image=g.asset("style"), amount=2)
    vision = g.add("ProbeVision", width=128)
    picture = g.add("MMC_EncodeImage", image=two, clip_vision=vision, read="one vector",
                    together=True)  # fmt: skip
    probe = g.told(g.fused(picture))
    assert entries(comfy.run(g.prompt), probe)[0]["shape"] == [1, 2, 128]


def test_a_new_block_is_the_plain_mode_and_says_so(fusions):
    g = Fusing()
    parts = g.encoded(ONE), g.picture_vector(name="style")
    plain, block = g.fused(*parts, mode="average"), g.fused(*parts, file="new")
    shown, loaded = g.read(block), g.read(g.prompt[block[0]]["inputs"]["fusion"], 1)
    g.keep(g.drawn(plain))
    g.keep(g.drawn(block))
    outputs = fusions.run(g.prompt)
    one, other = fusions.saved(outputs)
    assert off(one, other) < 1e-4
    said = "no trained weights: its file tells of no training, and a new block is plain average"
    assert said in words(outputs, shown)
    assert said in words(outputs, loaded)
    assert words(outputs, loaded).startswith("gated, for text (128 wide, the base), style (128")
    assert "heard: text " in words(outputs, shown)


def test_a_trained_block_acts_and_widths_may_differ(fusions):
    g = Fusing()
    parts = g.encoded(ONE), g.picture_vector(width=48)
    block = g.fused(*parts, file="film")
    shown = g.read(block)
    g.keep(g.drawn(g.fused(g.encoded(ONE))))
    g.keep(g.drawn(block))
    outputs = fusions.run(g.prompt)
    text, both = fusions.saved(outputs)
    assert off(both, text) > 1e-3
    assert "no trained weights" not in words(outputs, shown)


def test_the_congruence_block_shows_what_it_measured(fusions):
    g = Fusing()
    shown = g.read(g.fused(g.encoded(ONE), g.picture_vector(width=48), file="congruence"))
    said = words(fusions.run(g.prompt), shown)
    assert "agreement, -1 to 1: text " in said
    assert "heard: text 100%, image " in said


def test_a_video_is_heard_frame_by_frame_where_a_block_knows_of_time(fusions):
    g = Fusing()
    frames = g.add("ProbePicture", number=6, height=64, width=64, channels=3, nan=False)
    back = g.add("ImageBatch", image1=frames, image2=frames)
    vision = g.add("ProbeVision", width=48)
    video = g.add("MMC_EncodeVideo", frames=back, clip_vision=vision, most_frames=3)
    block = g.fused(video, file="frames")
    shown, probe = g.read(block), g.told(block)
    outputs = fusions.run(g.prompt)
    assert words(outputs, shown).startswith(
        "resampler: " + " + ".join(["video (1 tokens, 48 wide)"] * 3)
    )
    assert entries(outputs, probe)[0]["shape"] == [1, 7, 128]


def test_sound_is_fused_with_words(comfy):
    g = Fusing()
    sound = g.add("ProbeSound", seconds=1.0, rate=96000, channels=2)
    heard = g.add("MMC_EncodeAudio", audio=sound, audio_encoder=g.add("ProbeHearing"))
    fused = g.fused(g.encoded(ONE), heard)
    probe = g.told(fused)
    g.keep(g.drawn(fused))
    g.keep(g.drawn(g.fused(g.encoded(ONE))))
    outputs = comfy.run(g.prompt)
    both, text = comfy.saved(outputs)
    assert off(both, text) > 1e-3
    assert entries(outputs, probe)[0]["options"].keys() == {"pooled_output"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda g: g.fused(g.encoded(ONE), g.picture_vector(width=48)),
            "the tokens have different widths, {'text': 128, 'image': 48}; use encoders of one "
            "width, or a fitted fusion block",
        ),
        (
            lambda g: g.fused(g.encoded(ONE), g.picture_vector(width=48), file="new"),
            "the fusion block was not made for 'image'; it takes text, style: disconnect it, or "
            "fit a block with it",
        ),
        (
            lambda g: g.fused(g.encoded(ONE), g.picture_vector(width=40), file="film"),
            "image has tokens of width 40; the fusion block was made for 48: use the encoder it "
            "was fitted with",
        ),
        (
            lambda g: g.fused(),
            "no embedding is connected; connect at least one, from an Encode node",
        ),
        (
            lambda g: g.fused(*[g.encoded(ONE)] * 17),
            "this node has no input embeddings.embedding16: fuse the first in one node, and what "
            "comes out with the others",
        ),
    ],
)
def test_what_does_not_fit_is_named(fusions, make, said):
    g = Fusing()
    g.keep(g.drawn(make(g)))
    with pytest.raises(ServerError) as error:
        fusions.run(g.prompt)
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("cut.safetensors", r"^cut\.safetensors is truncated"),
        ("page.safetensors", r"^page\.safetensors is a web page"),
        ("old.pt", r"^old\.pt is a pickled file"),
    ],
)
def test_a_file_that_is_no_block_is_refused(fusions, file, said):
    g = Fusing()
    g.read(g.add("MMC_LoadFusion", file=file), 1)
    with pytest.raises(ServerError, match=said) as error:
        fusions.run(g.prompt)
    assert "\n" not in str(error.value)


def test_what_was_fused_is_shown_on_the_node(fusions):
    g = Fusing()
    block = g.fused(g.encoded("a blue ring"), file="new")
    g.told(block)
    seen = []
    fusions.run(g.prompt, on_bytes=seen.append)
    shown = [m.decode(errors="ignore") for m in seen if m[:4] == (3).to_bytes(4, "big")]
    assert any("gated: text (" in text for text in shown)
    assert any("no trained weights" in text for text in shown)
