"""Fusion blocks with random weights, for the text encoder and vision model of the probes."""

import torch

from mm_core.fusion.kinds import build
from mm_core.fusion.weights import save_fusion

TEXT, IMAGE, OURS = 128, 48, 32  # of the embedded model, the probe, random_encoders
BLOCKS = {
    "new": ("gated", {"widths": {"text": TEXT, "style": TEXT}}),
    "film": ("film", {"widths": {"text": TEXT, "image": IMAGE}}),
    "ours": ("film", {"widths": {"text": TEXT, "audio": OURS, "video": OURS}}),
    "congruence": ("congruence", {"widths": {"text": TEXT, "image": IMAGE}, "strength": 2.0}),
    "frames": ("resampler", {"widths": {"text": TEXT, "video": IMAGE}, "latents": 7, "frames": 4}),
}


def write_all(folder):
    """Good files, all trained but `new`, and some that are none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (kind, settings) in BLOCKS.items():
        torch.manual_seed(0)
        block = build(kind, settings)
        if name != "new":
            with torch.no_grad():
                for weight in block.parameters():
                    weight.add_(torch.randn_like(weight) * 0.2)
        recipe = {} if name == "new" else {"steps": 1500}
        save_fusion(block, folder / f"{name}.safetensors", recipe)
    whole = (folder / "film.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (folder / "page.safetensors").write_text("<!DOCTYPE html><html>log in first</html>")
    (folder / "old.pt").write_bytes(b"\x80\x02}q\x00.")
