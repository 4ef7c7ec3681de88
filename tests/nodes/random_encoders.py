"""Writes tiny encoders with random weights, as their authors save them, and folders that are none.

Run by ComfyUI's Python: `python random_encoders.py FOLDER`.
"""

import json
import os
import shutil
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).absolute().parents[1] / "parity"))

import tiny_encoders as encoders
import tiny_estimators as estimators
import torch

WIDTH = 128  # of the probes' text
LAST = "empty"  # written last: all is there
PRIOR_WIDTH = 768  # of the image embeddings of random_priors


def text_tower(folder):
    """As wide as OpenAI CLIP ViT-L/14's, with one thin layer."""
    encoders.save_tokenizer(folder, longest=77)
    wide = {
        "hidden_size": PRIOR_WIDTH, "projection_dim": PRIOR_WIDTH, "intermediate_size": 64,
        "num_hidden_layers": 1, "num_attention_heads": 12, "max_position_embeddings": 77,
    }  # fmt: skip
    config = encoders.T.CLIPTextConfig(**encoders.TEXT | wide)
    encoders.save(folder, encoders.T.CLIPTextModelWithProjection(config))


FOLDERS = {
    "clip": lambda f: encoders.clip(f, projection=WIDTH),
    "dinov2": encoders.dinov2,
    "clap": lambda f: encoders.clap(f, fused=False),
    "wav2vec2": encoders.wav2vec2,
    "video": encoders.videomae,
    "maker/depth": estimators.depth_anything,
    "metric": lambda f: estimators.depth_anything(f, depth_estimation_type="metric", max_depth=20),
    "pose": lambda f: estimators.vitpose(f, loud=0.6),
    "whole": lambda f: estimators.vitpose(f, joints=133),
    "people": lambda f: estimators.rt_detr(f, ("car", "person")),
    "segmentation": estimators.segformer,
    "sam": estimators.sam,
    "tower": text_tower,
}


def write_all(root: Path) -> None:
    """Writes what is not there yet."""
    if (root / LAST).is_dir():
        return
    for name, write in FOLDERS.items():
        torch.manual_seed(0)
        (root / name).mkdir(parents=True, exist_ok=True)
        write(root / name)
    broken(root)


def broken(root: Path) -> None:
    """Pickled weights, a model that brings its own code, and an empty folder."""
    pickled, custom = root / "pickled", root / "custom"
    for folder in (pickled, custom):
        folder.mkdir(exist_ok=True)
        shutil.copy(root / "dinov2" / "config.json", folder)
    (pickled / "pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")
    own = {"model_type": "mine", "auto_map": {"AutoModel": "mine.Mine"}}
    (custom / "config.json").write_text(json.dumps(own))
    (custom / "mine.py").write_text("open('ran', 'w').write('it ran')\n")
    shutil.copy(root / "dinov2" / "model.safetensors", custom)
    (root / LAST).mkdir(exist_ok=True)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
