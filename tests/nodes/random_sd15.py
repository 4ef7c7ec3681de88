"""Writes SD 1.5, two ControlNets and a LoRA with random weights, in their published layouts.

Run by ComfyUI's Python from its folder: `python random_sd15.py FOLDER`. Modules are the host's own,
so that names and shapes are the published ones; every tensor is drawn from a seed of its name, so
that two hosts write the same file.
"""

import os
import sys
import zlib
from pathlib import Path

import torch
from safetensors.torch import save_file

CHECKPOINT = "mmc_random_sd15.safetensors"
CONTROLS = "mmc_random_control_a.safetensors", "mmc_random_control_b.safetensors"
LORA = "mmc_random_lora.safetensors"
UNET = {
    "use_checkpoint": False, "image_size": 32, "use_spatial_transformer": True, "legacy": False,
    "adm_in_channels": None, "in_channels": 4, "model_channels": 320,
    "num_res_blocks": [2, 2, 2, 2], "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
    "channel_mult": [1, 2, 4, 4], "transformer_depth_middle": 1,
    "use_linear_in_transformer": False, "context_dim": 768, "num_heads": 8,
    "use_temporal_attention": False,
}  # fmt: skip
OUTPUT = {"out_channels": 4, "transformer_depth_output": [1] * 9 + [0] * 3}
VAE = {
    "double_z": True, "z_channels": 4, "resolution": 256, "in_channels": 3, "out_ch": 3, "ch": 128,
    "ch_mult": [1, 2, 4, 4], "num_res_blocks": 2, "attn_resolutions": [], "dropout": 0.0,
}  # fmt: skip
RANK = 4


def write_all(folder: Path) -> None:
    """Writes what is not there yet. Each file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {CHECKPOINT: checkpoint, LORA: lora}
    made |= {name: lambda name=name: control(name) for name in CONTROLS}
    for name, make in made.items():
        if not (folder / name).exists():
            part = folder / f"{name}.{os.getpid()}"
            save_file(make(), part)
            part.replace(folder / name)


def checkpoint() -> dict[str, torch.Tensor]:
    import comfy.ldm.models.autoencoder
    import comfy.ops
    import comfy.sd1_clip
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
    from comfy.supported_models import SD15

    ops, build = comfy.ops.disable_weight_init, {"device": "meta", "dtype": torch.float32}
    config = SD15({**UNET, **OUTPUT})
    unet = UNetModel(**UNET, **OUTPUT, num_head_channels=-1, operations=ops, **build)
    clip = comfy.sd1_clip.SD1ClipModel(**build)
    vae = comfy.ldm.models.autoencoder.AutoencoderKL(ddconfig=VAE, embed_dim=4).to("meta")
    text = config.process_clip_state_dict_for_saving(clip.state_dict())
    names = config.process_unet_state_dict_for_saving(unet.state_dict())
    names |= text | config.process_vae_state_dict_for_saving(vae.state_dict())
    return {name: drawn(name, t.shape) for name, t in sorted(names.items())} | {
        "cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(77)[None]
    }


def control(file: str) -> dict[str, torch.Tensor]:
    """A ControlNet. Its "zero" convolutions are small, not zero, or it would do nothing."""
    import comfy.cldm.cldm

    net = comfy.cldm.cldm.ControlNet(**UNET, num_head_channels=-1, hint_channels=3, device="meta")
    zero = ("zero_convs", "middle_block_out", "input_hint_block.14")
    return {
        f"control_model.{name}": drawn(
            f"{file}:{name}", t.shape, 0.3 if name.startswith(zero) else 1
        )
        for name, t in sorted(net.state_dict().items())
    }


def lora() -> dict[str, torch.Tensor]:
    """Text keys and values of the decoder's highest blocks, in the layout of kohya's trainer."""
    out = {}
    for block in range(3):
        for part in ("to_k", "to_v"):
            name = f"lora_unet_up_blocks_3_attentions_{block}_transformer_blocks_0_attn2_{part}"
            out[f"{name}.lora_up.weight"] = drawn(f"{name}.up", (320, RANK))
            out[f"{name}.lora_down.weight"] = drawn(f"{name}.down", (RANK, 768))
            out[f"{name}.alpha"] = torch.tensor(float(RANK))
    return out


def drawn(name: str, shape, gain: float = 1.0) -> torch.Tensor:
    """Random weights that keep activations near size 1: norms near 1, the rest 1 / sqrt(fan in)."""
    rng = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    noise = torch.randn(tuple(shape), generator=rng)
    if noise.ndim > 1:
        fan_in = noise[0].numel() if "embedding" not in name else 1
        noise *= gain * fan_in**-0.5
    else:
        noise = noise * 0.05 + name.endswith("weight")
    return noise.half()


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    import comfy.cli_args

    comfy.cli_args.args.cpu = True
    write_all(Path(sys.argv[1]))
