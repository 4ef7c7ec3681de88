"""Names and shapes of published adapter files, at any width, and random tensors for them.

Written from the published files' layouts, not from the code that reads them.
"""

import torch

SD15_WIDTHS = [320] * 2 + [640] * 2 + [1280] * 5 + [640] * 3 + [320] * 3 + [1280]
SDXL_WIDTHS = [640] * 4 + [1280] * 50 + [640] * 6 + [1280] * 10  # down, up, middle


def linear(name, out, given, bias=True):
    return {f"{name}.weight": (out, given)} | ({f"{name}.bias": (out,)} if bias else {})


def norm(name, width):
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def layers(widths, context, start=1, step=2, bias=False):
    """to_k_ip and to_v_ip of every cross-attention."""
    out = {}
    for n, width in enumerate(widths):
        for part in ("k", "v"):
            name = f"ip_adapter.{start + step * n}.to_{part}_ip"
            out |= linear(name, width, context, bias)
    return out


def base(clip, context, tokens=4):
    p = "image_proj."
    return linear(f"{p}proj", tokens * context, clip) | norm(f"{p}norm", context)


def full(hidden, context):
    p = "image_proj.proj."
    return (
        linear(f"{p}0", hidden, hidden) | linear(f"{p}2", context, hidden) | norm(f"{p}3", context)
    )


def perceiver(p, width, heads, depth=4):
    out = {}
    for i in range(depth):
        a, f = f"{p}layers.{i}.0.", f"{p}layers.{i}.1."
        out |= norm(f"{a}norm1", width) | norm(f"{a}norm2", width)
        out |= linear(f"{a}to_q", 64 * heads, width, False)
        out |= linear(f"{a}to_kv", 128 * heads, width, False)
        out |= linear(f"{a}to_out", width, 64 * heads, False)
        out |= norm(f"{f}0", width) | linear(f"{f}1", 4 * width, width, False)
        out |= linear(f"{f}3", width, 4 * width, False)
    return out


def plus(clip, width, heads, context, tokens=16, p="image_proj."):
    ends = linear(f"{p}proj_in", width, clip) | linear(f"{p}proj_out", context, width)
    return (
        {f"{p}latents": (1, tokens, width)}
        | ends
        | norm(f"{p}norm_out", context)
        | perceiver(p, width, heads)
    )


def faceid(identity, context, tokens=4):
    p = "image_proj."
    hidden = linear(f"{p}proj.0", 2 * identity, identity)
    return hidden | linear(f"{p}proj.2", tokens * context, 2 * identity) | norm(f"{p}norm", context)


def faceid_plus(identity, clip, context, tokens=4):
    p = "image_proj.perceiver_resampler."
    refine = plus(clip, context, context // 64, context, tokens, p)
    del refine[f"{p}latents"]
    return faceid(identity, context, tokens) | refine


def lora(widths, context, rank):
    """Four pairs for each self-attention (even) and cross-attention (odd)."""
    out = {}
    for n, width in enumerate(widths):
        for index, heard in ((2 * n, width), (2 * n + 1, context)):
            for part in ("q", "k", "v", "out"):
                given = heard if part in "kv" else width
                name = f"ip_adapter.{index}.to_{part}_lora"
                out |= linear(f"{name}.down", rank, given, False)
                out |= linear(f"{name}.up", width, rank, False)
    return out


def xlabs(clip=768, context=4096, width=3072, tokens=4, blocks=19):
    p = "ip_adapter_proj_model."
    out = linear(f"{p}proj", tokens * context, clip) | norm(f"{p}norm", context)
    for i in range(blocks):
        for part in "kv":
            name = f"double_blocks.{i}.processor.ip_adapter_double_stream_{part}_proj"
            out |= linear(name, width, context)
    return out


def instantx_flux(given=1152, context=4096, width=3072, tokens=128, blocks=57):
    return faceid(given, context, tokens) | layers([width] * blocks, context, 0, 1)


def instantx_sd35(
    clip=1152, width=1280, heads=20, model=2432, tokens=64, waves=320, blocks=38, head=64
):
    p = "image_proj."
    out = plus(clip, width, heads, model, tokens)
    out |= linear(f"{p}time_embedding.linear_1", width, waves)
    out |= linear(f"{p}time_embedding.linear_2", width, width)
    for i in range(4):
        out |= linear(f"{p}layers.{i}.2.1", 4 * width, width)
    out |= layers([model] * blocks, model, 0, 1)
    for i in range(blocks):
        out |= linear(f"ip_adapter.{i}.norm_ip.linear", 2 * model, width)
        out |= {f"ip_adapter.{i}.{n}.weight": (head,) for n in ("norm_q", "norm_k", "norm_ip_k")}
    return out


def published():
    """File name -> its names and shapes at full size."""
    sd15, sdxl = layers(SD15_WIDTHS, 768), layers(SDXL_WIDTHS, 2048)
    return {
        "ip-adapter_sd15": base(1024, 768) | sd15,
        "ip-adapter_sd15_vit-G": base(1280, 768) | sd15,
        "ip-adapter-plus_sd15": plus(1280, 768, 12, 768) | sd15,
        "ip-adapter-full-face_sd15": full(1280, 768) | sd15,
        "ip-adapter_sdxl": base(1280, 2048) | sdxl,
        "ip-adapter_sdxl_vit-h": base(1024, 2048) | sdxl,
        "ip-adapter-plus_sdxl_vit-h": plus(1280, 1280, 20, 2048) | sdxl,
        "kolors_ip_adapter_plus_general": plus(1024, 2048, 12, 2048) | sdxl,
        "kolors_faceid_plus": faceid_plus(512, 1024, 4096, 6) | sdxl,
        "ip-adapter-faceid_sd15": faceid(512, 768) | sd15 | lora(SD15_WIDTHS, 768, 128),
        "ip-adapter-faceid-plusv2_sd15": (
            faceid_plus(512, 1280, 768) | sd15 | lora(SD15_WIDTHS, 768, 128)
        ),
        "ip-adapter-faceid-plus_sd15": (
            faceid_plus(512, 1280, 768) | sd15 | lora(SD15_WIDTHS, 768, 128)
        ),
        "ip-adapter-faceid_sdxl": faceid(512, 2048) | sdxl | lora(SDXL_WIDTHS, 2048, 128),
        "ip-adapter-faceid-portrait_sd15": faceid(512, 768, 16) | sd15,
        "xlabs_flux-ip-adapter": xlabs(),
        "xlabs_flux-ip-adapter-v2": xlabs(tokens=16),
        "instantx_flux-ip-adapter": instantx_flux(),
        "instantx_sd35-large-ip-adapter": instantx_sd35(),
    }


def random_tensors(shapes, seed=0):
    """Norms near 1 and small biases, so that a swapped or dropped tensor shows."""
    rng = torch.Generator().manual_seed(seed)
    out = {}
    for name, shape in shapes.items():
        value = torch.randn(*shape, generator=rng)
        if len(shape) == 1:
            out[name] = 0.1 * value + (0 if name.endswith("bias") else 1)
        else:
            out[name] = value * shape[-1] ** -0.5
    return out
