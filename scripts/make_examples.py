"""Writes the input files of the example workflows from one held-out scene.

Run from the pack's folder: python scripts/make_examples.py
"""

import json
import sys
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


def four_inputs(prompt):
    """01: text, style, depth and pose in API form."""

    def window(name):
        return {"weight": WEIGHTS[name], "start": 0.0, "end": 1.0}

    def node(kind, title, **inputs):
        return {"class_type": kind, "inputs": inputs, "_meta": {"title": title}}

    def load(name):
        return node("LoadImage", f"{name.capitalize()} picture", image=f"mmc_{name}.png")

    adapters = ["1", 3]
    return {
        "1": node("MMC_LoadEmbedded", "Load Embedded Model"),
        "2": node(
            "MMC_Text", "Text", clip=["1", 1], text=prompt, **window("text"), negative=""
        ),
        "3": load("style"),
        "4": node(
            "MMC_StyleImage", "Style", image=["3", 0], **window("style"), adapters=adapters
        ),
        "5": load("depth"),
        "6": node("MMC_Depth", "Depth", image=["5", 0], **window("depth"), adapters=adapters),
        "7": load("pose"),
        "8": node("MMC_Pose", "Pose", **window("pose"), image=["7", 0], adapters=adapters),
        "9": node("EmptyLatentImage", "Empty latent", width=128, height=128, batch_size=1),
        "10": node(
            "MMC_KSampler", "Multimodal KSampler", model=["1", 0],
            **{f"modalities.modality{i}": [str(2 * i + 2), 0] for i in range(4)},
            composition="leave_one_out", cfg=1.0, seed=1, steps=25, sampler_name="euler",
            scheduler="normal", denoise=1.0, latent_image=["9", 0],
        ),
        "11": node("VAEDecode", "Decode", samples=["10", 0], vae=["1", 2]),
        "12": node("SaveImage", "Save", images=["11", 0], filename_prefix="mmc_01"),
    }  # fmt: skip


if __name__ == "__main__":
    text = assets()
    path = FOLDER / "api" / "01-four-inputs.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(four_inputs(text), indent=2) + "\n")
    print(f"{path} and {FOLDER / 'assets'}: {text}")
