"""Writes the input files of the example workflows from two held-out scenes.

Run from the pack's folder: python scripts/make_examples.py
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).absolute().parents[1]))

from PIL import Image

from mm_core.cli.demo import SHOWN, SHOWN_SEED, input_pictures
from mm_core.embedded.defaults import WEIGHTS
from mm_core.encoders.examples import SCENES
from mm_core.encoders.waves import write_wave
from mm_core.evaluation.cases import held_out

FOLDER = Path(__file__).absolute().parents[1] / "example_workflows"
SIDE = 256
STAR = 7  # of the same held-out scenes: the one with a star


def assets(case, index):
    """A scene's style picture, depth, skeleton, segmentation, keypoints and sound."""
    prefix = next(s.prefix for s in SCENES.values() if s.text == case.prompts[index])
    folder = FOLDER / "assets"
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in input_pictures(case, index).items():
        if name != "audio":
            large = picture.resize((SIDE, SIDE), Image.Resampling.NEAREST)
            large.save(folder / f"{prefix}_{name}.png")
    write_wave(case.wave[index], folder / f"{prefix}_sound.wav")
    joints = case.truth.content.joints[index] * SIDE
    flat = [v for x, y in joints.tolist() for v in (round(x, 2), round(y, 2), 1.0)]
    person = {
        "pose_keypoints_2d": flat + [0.0] * 12,  # this figure has no eyes and ears
        "face_keypoints_2d": [0.0] * 210,
        "hand_left_keypoints_2d": [0.0] * 63,
        "hand_right_keypoints_2d": [0.0] * 63,
    }
    frame = {"canvas_width": SIDE, "canvas_height": SIDE, "people": [person]}
    (folder / f"{prefix}_pose.json").write_text(json.dumps([frame]) + "\n")


def node(type_, title, /, **inputs):
    return {"class_type": type_, "inputs": inputs, "_meta": {"title": title}}


def strength(name, **changed):
    return {"weight": WEIGHTS[name], "start": 0.0, "end": 1.0, **changed}


def scene():
    """1 and 2: the model, and the pictures."""
    return {
        "1": node("MMC_LoadEmbedded", "Load Embedded Model"),
        "2": node("MMC_ExampleInputs", "Example Inputs", scene="two shapes"),
    }


def inputs(prompt):
    """3 to 6: a chain of four modalities."""
    adapters = ["1", 3]
    return {
        "3": node(
            "MMC_Text", "Text", clip=["1", 1], text=prompt, **strength("text"), negative=""
        ),
        "4": node(
            "MMC_StyleImage", "Style", modalities=["3", 0], image=["2", 0], **strength("style"),
            adapters=adapters,
        ),
        "5": node(
            "MMC_Depth", "Depth", modalities=["4", 0], image=["2", 1], **strength("depth"),
            adapters=adapters,
        ),
        "6": node(
            "MMC_Pose", "Pose", modalities=["5", 0], **strength("pose"), image=["2", 2],
            adapters=adapters,
        ),
    }  # fmt: skip


def sampled(chain, prefix, pictures=1, **settings):
    """10 to 14: from an empty latent to a saved picture. chain: the last modality."""
    return {
        "10": node(
            "EmptyLatentImage", "Empty latent", width=128, height=128, batch_size=pictures
        ),
        "11": node(
            "MMC_KSampler", "Multimodal KSampler", model=["1", 0],
            **{"modalities.modality0": [chain, 0]}, composition="leave_one_out", cfg=1.0, seed=1,
            steps=25, sampler_name="euler", scheduler="normal", denoise=1.0,
            latent_image=["10", 0], **settings,
        ),
        "12": node("VAEDecode", "Decode", samples=["11", 0], vae=["1", 2]),
        "13": node(
            "ImageScaleBy", "Four times as large", image=["12", 0], upscale_method="lanczos",
            scale_by=4.0,
        ),
        "14": node("SaveImage", "Result", images=["13", 0], filename_prefix=prefix),
    }  # fmt: skip


def four_inputs(prompt):
    """01: text, style, depth and pose."""
    return {**scene(), **inputs(prompt), **sampled("6", "mmc_01")}


def balance(prompt):
    """02: the same with a style that fades in, a layout dropped as one, and a report."""
    graph = {**scene(), **inputs(prompt)}
    curve = {"kind": "linear", "start": 0.0, "end": 0.5, "first": 0.3, "last": 1.5, "center": 1.0,
             "width": 1.2, "low": 0.2, "high": 5.0, "points": "0:1, 0.5:0.2, 1:0"}  # fmt: skip
    graph["7"] = node("MMC_Schedule", "Style over sampling", **curve)
    graph["4"]["inputs"]["schedule"] = ["7", 0]
    for layout in ("5", "6"):
        graph[layout]["inputs"]["group"] = "layout"
    graph |= sampled("6", "mmc_02", speed="balanced")
    graph["15"] = node("MMC_Report", "What each input did", report=["11", 1])
    return graph


PICTURES = 4


def words_to_style(_prompt):
    """03: two texts through a prior, mixed, as the style of four pictures; no picture is given."""

    def prior(title, text, seed):
        return node(
            "MMC_Prior", title, prior=["2", 0], text=text, seed=seed, steps=25, guidance=2.0,
            negative="", count=PICTURES, candidates=2, solver="ancestral",
        )  # fmt: skip

    return {
        "1": node("MMC_LoadEmbedded", "Load Embedded Model"),
        "2": node("MMC_LoadPrior", "Load Prior", file="embedded: diffusion"),
        "3": prior("Style in words", "purple and blue stripes", 1),
        "4": prior("Another style", "yellow and orange dots", 11),
        "5": node(
            "MMC_MixEmbeddings", "Between the two", mode="slerp", amount=0.0, weights="",
            **{"embeddings.embedding0": ["3", 0], "embeddings.embedding1": ["4", 0]},
        ),
        "6": node(
            "MMC_Text", "Text", clip=["1", 1], text="a large red circle", **strength("text"),
            negative="",
        ),
        "7": node(
            "MMC_StyleImage", "Style", modalities=["6", 0], **strength("style"),
            adapters=["1", 3], clip_vision_output=["5", 0],
        ),
        **sampled("7", "mmc_03", pictures=PICTURES),
    }  # fmt: skip


EXAMPLES = {
    "01-four-inputs": four_inputs,
    "02-balance-and-report": balance,
    "03-style-in-words": words_to_style,
}

if __name__ == "__main__":
    scenes = held_out(12, SHOWN_SEED)
    for index in (SHOWN, STAR):
        assets(scenes, index)
    for name, graph in EXAMPLES.items():
        path = FOLDER / "api" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(graph(scenes.prompts[SHOWN]), indent=2) + "\n")
        print(path)
