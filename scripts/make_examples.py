"""Writes the input files of the example workflows from one held-out scene.

Run from the pack's folder: python scripts/make_examples.py
"""

import json
import sys
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).absolute().parents[1]))

from PIL import Image

from mm_core.cli.demo import SHOWN, SHOWN_SEED, input_pictures
from mm_core.embedded.defaults import WEIGHTS
from mm_core.encoders.waves import write_wave
from mm_core.evaluation.cases import held_out

FOLDER = Path(__file__).absolute().parents[1] / "example_workflows"
SIDE = 256


def assets():
    """The scene's style picture, depth, skeleton, segmentation, keypoints and sound."""
    case = held_out(12, SHOWN_SEED)
    folder = FOLDER / "assets"
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in input_pictures(case, SHOWN).items():
        if name != "audio":
            picture.resize((SIDE, SIDE), Image.Resampling.NEAREST).save(folder / f"mmc_{name}.png")
    write_wave(case.wave[SHOWN], folder / "mmc_sound.wav")
    joints = case.truth.content.joints[SHOWN] * SIDE
    flat = [v for x, y in joints.tolist() for v in (round(x, 2), round(y, 2), 1.0)]
    person = {
        "pose_keypoints_2d": flat + [0.0] * 12,  # this figure has no eyes and ears
        "face_keypoints_2d": [0.0] * 210,
        "hand_left_keypoints_2d": [0.0] * 63,
        "hand_right_keypoints_2d": [0.0] * 63,
    }
    frame = {"canvas_width": SIDE, "canvas_height": SIDE, "people": [person]}
    (folder / "mmc_pose.json").write_text(json.dumps([frame]) + "\n")
    return case.prompts[SHOWN]


def node(type_, title, /, **inputs):
    return {"class_type": type_, "inputs": inputs, "_meta": {"title": title}}


def load(name):
    return node("LoadImage", f"{name.capitalize()} picture", image=f"mmc_{name}.png")


def strength(name, **changed):
    return {"weight": WEIGHTS[name], "start": 0.0, "end": 1.0, **changed}


def chained(graph, *nodes):
    """The graph with each of these modality nodes behind the one before it."""
    for before, after in pairwise(nodes):
        graph[after]["inputs"] = {"modalities": [before, 0], **graph[after]["inputs"]}
    return graph


def inputs(prompt):
    """1 to 8: the model, and the modalities 2, 4, 6 and 8 in a chain, with their pictures."""
    adapters = ["1", 3]
    graph = {
        "1": node("MMC_LoadEmbedded", "Load Embedded Model"),
        "2": node(
            "MMC_Text", "Text", clip=["1", 1], text=prompt, **strength("text"), negative=""
        ),
        "3": load("style"),
        "4": node(
            "MMC_StyleImage", "Style", image=["3", 0], **strength("style"), adapters=adapters
        ),
        "5": load("depth"),
        "6": node("MMC_Depth", "Depth", image=["5", 0], **strength("depth"), adapters=adapters),
        "7": load("pose"),
        "8": node("MMC_Pose", "Pose", **strength("pose"), image=["7", 0], adapters=adapters),
    }  # fmt: skip
    return chained(graph, "2", "4", "6", "8")


def sampled(prefix, last="8", **settings):
    """9 to 12: from an empty latent to a saved picture. last: of the chain of modalities."""
    return {
        "9": node("EmptyLatentImage", "Empty latent", width=128, height=128, batch_size=1),
        "10": node(
            "MMC_KSampler", "Multimodal KSampler", model=["1", 0],
            **{"modalities.modality0": [last, 0]},
            composition="leave_one_out", cfg=1.0, seed=1, steps=25, sampler_name="euler",
            scheduler="normal", denoise=1.0, latent_image=["9", 0], **settings,
        ),
        "11": node("VAEDecode", "Decode", samples=["10", 0], vae=["1", 2]),
        "12": node("SaveImage", "Save", images=["11", 0], filename_prefix=prefix),
    }  # fmt: skip


def four_inputs(prompt):
    """01: text, style, depth and pose."""
    return {**inputs(prompt), **sampled("mmc_01")}


def balance(prompt):
    """02: the same with a style that fades in, a layout dropped as one, and a report."""
    graph = inputs(prompt)
    curve = {"kind": "linear", "start": 0.0, "end": 0.5, "first": 0.3, "last": 1.5, "center": 1.0,
             "width": 1.2, "low": 0.2, "high": 5.0, "points": "0:1, 0.5:0.2, 1:0"}  # fmt: skip
    graph["13"] = node("MMC_Schedule", "Style over sampling", **curve)
    graph["4"]["inputs"]["schedule"] = ["13", 0]
    for layout in ("6", "8"):
        graph[layout]["inputs"]["group"] = "layout"
    graph |= sampled("mmc_02", speed="balanced")
    graph["14"] = node("MMC_Report", "What each input did", report=["10", 1])
    return graph


PICTURES = 4


def words_to_style(_prompt):
    """03: two texts through a prior, mixed, as the style of four pictures; no picture is given."""

    def prior(title, text, seed):
        return node(
            "MMC_Prior", title, prior=["3", 0], text=text, seed=seed, steps=25, guidance=2.0,
            negative="", count=PICTURES, candidates=2, solver="ancestral",
        )  # fmt: skip

    graph = {
        "1": node("MMC_LoadEmbedded", "Load Embedded Model"),
        "2": node(
            "MMC_Text", "Text", clip=["1", 1], text="a large red circle", **strength("text"),
            negative="",
        ),
        "3": node("MMC_LoadPrior", "Load Prior", file="embedded: diffusion"),
        "4": prior("Style in words", "purple and blue stripes", 1),
        "5": prior("Another style", "yellow and orange dots", 11),
        "6": node(
            "MMC_MixEmbeddings", "Between the two", mode="slerp", amount=0.0, weights="",
            **{"embeddings.embedding0": ["4", 0], "embeddings.embedding1": ["5", 0]},
        ),
        "7": node(
            "MMC_StyleImage", "Style", **strength("style"), adapters=["1", 3],
            clip_vision_output=["6", 0],
        ),
    }  # fmt: skip
    graph |= sampled("mmc_03", last="7")
    graph["9"]["inputs"]["batch_size"] = PICTURES
    return chained(graph, "2", "7")


EXAMPLES = {
    "01-four-inputs": four_inputs,
    "02-balance-and-report": balance,
    "03-style-in-words": words_to_style,
}

if __name__ == "__main__":
    text = assets()
    for name, graph in EXAMPLES.items():
        path = FOLDER / "api" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(graph(text), indent=2) + "\n")
        print(path)
