"""What the Encode nodes read: the host's own encoders, and what cannot be encoded."""

import pytest
from comfy_server import ServerError
from find_comfyui import PACK
from graph_encode import Fusing, entries

pytestmark = pytest.mark.host


def picture(g, **given):
    size = {"number": 1, "height": 64, "width": 96, "channels": 3, "nan": False}
    return g.add("ProbePicture", **{**size, **given})


def seen(g, image, **given):
    vision = g.add("ProbeVision", width=128)
    return g.add("MMC_EncodeImage", image=image, clip_vision=vision, **given)


def heard(g, **given):
    sound = g.add("ProbeSound", **{"seconds": 1.0, "rate": 16000, "channels": 1, **given})
    return g.add("MMC_EncodeAudio", audio=sound, audio_encoder=g.add("ProbeHearing"))


def told(comfy, g, *embeddings):
    """What each embedding says alone."""
    probes = [g.told(g.fused(e)) for e in embeddings]
    outputs = comfy.run(g.prompt)
    return [entries(outputs, p)[0] for p in probes]


def test_a_picture_read_before_is_the_picture_read_here(comfy):
    g = Fusing()
    vision = g.add("ProbeVision", width=128)
    output = g.add("CLIPVisionEncode", clip_vision=vision, image=g.asset("style"), crop="center")
    pairs = [
        (
            g.add("MMC_EncodeImage", clip_vision_output=output, read=read),
            g.add("MMC_EncodeImage", image=g.asset("style"), clip_vision=vision, read=read),
        )
        for read in ("tokens", "last tokens", "one vector")
    ]
    found = told(comfy, g, *(e for pair in pairs for e in pair))
    assert found[0::2] == found[1::2]
    assert [f["shape"] for f in found[0::2]] == [[1, 17, 64], [1, 17, 64], [1, 1, 128]]
    assert len({f["sum"] for f in found}) == 3


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_transparent_pictures_are_read_as_colour(comfy, channels):
    g = Fusing()
    colour, other = told(comfy, g, seen(g, picture(g)), seen(g, picture(g, channels=channels)))
    assert colour == other


def test_a_picture_of_30_megapixels_is_read(comfy):
    g = Fusing()
    (found,) = told(comfy, g, seen(g, picture(g, height=5000, width=6000)))
    assert found["finite"]


def test_many_pictures_are_as_each_alone(comfy):
    g = Fusing()
    many = picture(g, number=19)
    last = g.add("ImageFromBatch", image=many, batch_index=18, length=1)
    both = g.fused(seen(g, many, read="one vector"))
    g.told(g.fused(seen(g, last, read="one vector")))
    probe = g.told(both)
    shape = entries(comfy.run(g.prompt), probe)[0]["shape"]
    assert shape == [19, 1, 128]


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (96000, 2), (44100, 6)])
def test_sound_of_any_rate_and_channels_is_heard(comfy, rate, channels):
    g = Fusing()
    found, same = told(comfy, g, heard(g), heard(g, rate=rate, channels=channels))
    assert found["shape"] == same["shape"] == [1, 10, 128]
    assert abs(found["sum"] - same["sum"]) < 0.01 * found["sum"]


def test_a_twentieth_of_a_second_is_heard(comfy):
    g = Fusing()
    assert told(comfy, g, heard(g, seconds=0.05))[0]["finite"]


def test_of_a_video_so_many_frames_are_read_the_first_and_the_last_among_them(comfy):
    g = Fusing()
    vision = g.add("ProbeVision", width=128)
    video = picture(g, number=9)
    first, last = (g.add("ImageFromBatch", image=video, batch_index=i, length=1) for i in (0, 8))
    found = told(
        comfy, g,
        *(g.add("MMC_EncodeVideo", frames=video, clip_vision=vision, most_frames=n)
          for n in (0, 2, 20)),
        *(g.add("MMC_EncodeVideo", frames=f, clip_vision=vision) for f in (first, last)),
    )  # fmt: skip
    assert [f["shape"][1] for f in found] == [9, 2, 9, 1, 1]
    assert abs(found[1]["sum"] - found[3]["sum"] - found[4]["sum"]) < 1e-3


def test_a_name_is_what_reports_call_it(comfy):
    g = Fusing()
    shown = g.read(g.fused(seen(g, picture(g), name=" style ")))
    assert comfy.run(g.prompt)[shown[0]]["text"][0].startswith("concat: style (17 tokens, 64 wide)")


SAID = {
    "no encoder for a text": (
        lambda g: g.add("MMC_EncodeText", text="a"),
        "the text input has no encoder: connect clip or encoder",
    ),
    "no encoder for a picture": (
        lambda g: g.add("MMC_EncodeImage", image=picture(g)),
        "the image input has no encoder: connect clip_vision or encoder or clip_vision_output",
    ),
    "two encoders": (
        lambda g: seen(g, picture(g), clip_vision_output=g.add(
            "CLIPVisionEncode", clip_vision=g.add("ProbeVision", width=128), image=picture(g),
            crop="none")),
        "the image input has clip_vision and clip_vision_output: connect one of them",
    ),
    "no picture": (
        lambda g: g.add("MMC_EncodeImage", clip_vision=g.add("ProbeVision", width=128)),
        "the image input has nothing to encode: connect image, a picture",
    ),
    "zero pictures": (
        lambda g: seen(g, picture(g, number=0)),
        "the image input holds no picture: connect at least one",
    ),
    "a pixel that is no number": (
        lambda g: seen(g, picture(g, nan=True)),
        "the image input has pixels that are not finite numbers; look for a node before it that "
        "makes a black picture",
    ),
    "no encoder for a sound": (
        lambda g: g.add("MMC_EncodeAudio", audio=g.add(
            "ProbeSound", seconds=1.0, rate=16000, channels=1)),
        "the audio input has no encoder: connect audio_encoder or encoder or audio_encoder_output",
    ),
    "a click": (
        lambda g: heard(g, seconds=0.02),
        "the audio input: 320 samples at 16000 Hz are too few to hear; needed at least 0.05 s",
    ),
    "no frames": (
        lambda g: g.add("MMC_EncodeVideo", frames=picture(g, number=0),
                        clip_vision=g.add("ProbeVision", width=128)),
        "the frames input holds no picture: connect at least one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_what_cannot_be_encoded_is_said_in_one_sentence(comfy, case):
    make, said = SAID[case]
    g = Fusing()
    g.told(g.fused(make(g)))
    with pytest.raises(ServerError) as error:
        comfy.run(g.prompt)
    assert str(error.value) == said


@pytest.mark.parametrize("case", SAID)
def test_a_help_page_quotes_the_message(case):
    pages = [" ".join(page.read_text().split()) for page in (PACK / "web" / "docs").glob("*.md")]
    opening = " ".join(SAID[case][1].split()[:9])
    assert any(opening in page for page in pages), opening
