"""Writes a checkpoint of the form of SD2.1-unCLIP-L with random weights: one level of its UNet.

Run by ComfyUI's Python from its folder: `python random_unclip.py FOLDER`. The host tells it by the
widths of its first layer, of its text and of its class vector; text and vision towers are absent.
"""

import os
import sys
from pathlib import Path

import torch
from random_sd15 import drawn
from safetensors.torch import save_file

CHECKPOINT = "mmc_random_unclip_l.safetensors"
UNET = {
    "image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": 320,
    "num_res_blocks": [1], "channel_mult": [1], "transformer_depth": [1],
    "transformer_depth_output": [1, 1], "transformer_depth_middle": 1,
    "use_spatial_transformer": True, "use_linear_in_transformer": True, "context_dim": 1024,
    "adm_in_channels": 1536, "num_classes": "sequential", "num_head_channels": 64,
    "num_heads": -1, "use_temporal_attention": False, "legacy": False,
}  # fmt: skip


def write_all(folder: Path) -> None:
    """Writes it unless it is there. It appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / CHECKPOINT).exists():
        part = folder / f"{CHECKPOINT}.{os.getpid()}"
        save_file(checkpoint(), part)
        part.replace(folder / CHECKPOINT)


def checkpoint() -> dict[str, torch.Tensor]:
    import comfy.ops
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    ops = comfy.ops.disable_weight_init
    unet = UNetModel(**UNET, operations=ops, device="meta", dtype=torch.float32)
    names = {f"model.diffusion_model.{n}": t for n, t in unet.state_dict().items()}
    return {name: drawn(name, t.shape) for name, t in sorted(names.items())}


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    import comfy.cli_args

    comfy.cli_args.args.cpu = True
    write_all(Path(sys.argv[1]))
