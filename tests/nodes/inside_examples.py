"""Run by the host's Python from the host's folder: Example Inputs beside the host's own loaders.

The pack is a copy that this script may spoil. Prints JSON.
"""

import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import inside  # noqa: I001  first: it makes the rest importable
import folder_paths
import torch
from mmc_pack.mm_core.encoders.examples import PICTURES, SCENES
from mmc_pack.nodes.examples import ExampleInputs

import nodes
from comfy_extras.nodes_audio import LoadAudio

assets = inside.PACK / "example_workflows" / "assets"
folder_paths.set_input_directory(str(assets))
folder_paths.set_temp_directory(str(inside.PACK.parent / "temp"))


def same(ours, theirs):
    return ours.dtype == theirs.dtype and torch.equal(ours, theirs)


found = {}
for name, scene in SCENES.items():
    told = ExampleInputs.execute(name)
    outputs = told.result
    equal = {}
    for kind, ours in zip(PICTURES, outputs, strict=False):
        equal[kind] = same(ours, nodes.LoadImage().load_image(f"{scene.prefix}_{kind}.png")[0])
    theirs = LoadAudio.execute(f"{scene.prefix}_sound.wav").result[0]
    equal["waveform"] = same(outputs[4]["waveform"], theirs["waveform"])
    equal["sample_rate"] = outputs[4]["sample_rate"] == theirs["sample_rate"]
    people = json.loads((assets / f"{scene.prefix}_pose.json").read_text())
    equal["keypoints"] = outputs[5] == people
    equal["text"] = outputs[6] == scene.text
    found[name] = {"equal": equal, "shown": len(told.ui.as_dict()["images"])}

(assets / "mmc_depth.png").unlink()
try:
    ExampleInputs.execute("two shapes")
except ValueError as e:
    found["missing"] = str(e)
shutil.rmtree(inside.PACK.parent / "temp")
sys.stdout.write(json.dumps(found) + "\n")
