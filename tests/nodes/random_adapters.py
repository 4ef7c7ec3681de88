"""Random image-prompt adapters in the published file layout, for the tiny UNets of the probes."""

import torch
from safetensors.torch import save_file

CONTEXT, CLIP, HIDDEN = 128, 48, 64
SD15 = [32, 32, 64, 64, 128, 128, 128, 128, 128, 64, 64, 64, 32, 32, 32, 128]
SDXL = [64] * 4 + [128] * 20 + [128] * 30 + [64] * 6 + [128] * 10
WIDTHS = {"SD1.5": SD15, "SDXL": SDXL}


def layers(widths, draw, context=CONTEXT):
    """Index n belongs to the n-th attention, self and cross, in the order down, up, middle."""
    out = {}
    for n, width in enumerate(widths):
        for part in ("k", "v"):
            out[f"ip_adapter.{2 * n + 1}.to_{part}_ip.weight"] = (
                draw(width, context) * 2 * context**-0.5
            )
    return out


def base(layout="SD1.5", seed=1, clip=CLIP, tokens=4, context=CONTEXT):
    draw = _draw(seed)
    return {
        "image_proj.proj.weight": draw(tokens * context, clip) * clip**-0.5,
        "image_proj.proj.bias": draw(tokens * context) * 0.1,
        "image_proj.norm.weight": 1 + 0.1 * draw(context),
        "image_proj.norm.bias": 0.1 * draw(context),
        **layers(WIDTHS[layout], draw, context),
    }


def plus(layout="SD1.5", seed=2, inner=64, tokens=16):
    draw = _draw(seed)

    def norm(name, width):
        return {f"{name}.weight": 1 + 0.1 * draw(width), f"{name}.bias": 0.1 * draw(width)}

    def linear(name, out, given):
        return {f"{name}.weight": draw(out, given) * given**-0.5}

    tensors = {"image_proj.latents": draw(1, tokens, inner) * inner**-0.5}
    for name, out, given in (("proj_in", inner, HIDDEN), ("proj_out", CONTEXT, inner)):
        tensors |= linear(f"image_proj.{name}", out, given)
        tensors[f"image_proj.{name}.bias"] = 0.1 * draw(out)
    tensors |= norm("image_proj.norm_out", CONTEXT)
    for i in range(4):
        at = f"image_proj.layers.{i}"
        tensors |= norm(f"{at}.0.norm1", inner) | norm(f"{at}.0.norm2", inner)
        tensors |= linear(f"{at}.0.to_q", inner, inner) | linear(f"{at}.0.to_kv", 2 * inner, inner)
        tensors |= linear(f"{at}.0.to_out", inner, inner) | norm(f"{at}.1.0", inner)
        tensors |= linear(f"{at}.1.1", 4 * inner, inner) | linear(f"{at}.1.3", inner, 4 * inner)
    return {**tensors, **layers(WIDTHS[layout], draw)}


def write_all(folder):
    """Good files of each kind, and some that are not."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(base(), folder / "one.safetensors")
    save_file(base(seed=7), folder / "two.safetensors")
    save_file(plus(), folder / "plus.safetensors")
    save_file(base("SDXL"), folder / "xl.safetensors")
    save_file(base(clip=1024), folder / "vit_h.safetensors")
    save_file(base(clip=768), folder / "vit_l.safetensors")
    whole = (folder / "one.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (folder / "page.safetensors").write_text("<!DOCTYPE html><html>log in first</html>")
    (folder / "old.bin").write_bytes(b"\x80\x02}q\x00.")
    lacking = base()
    del lacking["ip_adapter.31.to_v_ip.weight"]
    save_file(lacking, folder / "lacking.safetensors")


def _draw(seed):
    rng = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=rng)
