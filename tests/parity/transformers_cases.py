"""What is compared on diffusion transformers: XLabs' adapters for Flux, InstantX's for SD3.5.

diffusers has no adapter of InstantX for Flux, so that one is not here.
"""

import copy
from functools import partial

import layouts
import torch
import torch.nn.functional as F
from measured import measured
from safetensors.torch import save_file
from unets import Files, draw

from mm_core.adapters.ip_adapter.flux import xlabs_term
from mm_core.adapters.ip_adapter.load import load_adapter
from mm_core.adapters.ip_adapter.projection import ImagePrompt

TOLERANCE = 1e-4
HEADS, HEAD, CLIP = 2, 16, 24


@torch.no_grad()
def xlabs(tokens, context, scale):
    """A file under XLabs' names, loaded by diffusers' pipeline and by us."""
    from diffusers import FluxPipeline, FluxTransformer2DModel

    torch.manual_seed(0)
    network = FluxTransformer2DModel(
        patch_size=1, in_channels=4, num_layers=2, num_single_layers=2, attention_head_dim=HEAD,
        num_attention_heads=HEADS, joint_attention_dim=context, pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
    ).eval().requires_grad_(False)  # fmt: skip
    grid = torch.zeros(16, 3)
    grid[:, 1], grid[:, 2] = torch.arange(16) // 4, torch.arange(16) % 4
    given = {
        "hidden_states": draw(2, 16, 4), "encoder_hidden_states": draw(2, 5, context),
        "pooled_projections": draw(2, 32), "timestep": torch.tensor([0.5, 0.2]),
        "img_ids": grid, "txt_ids": torch.zeros(5, 3),
    }  # fmt: skip
    features = draw(2, CLIP, seed=12)
    with Files() as files:
        path = files.folder / "xlabs.safetensors"
        shapes = layouts.xlabs(CLIP, context, HEADS * HEAD, tokens, blocks=2)
        save_file(layouts.random_tensors(shapes), path)
        adapter = load_adapter(path)
        pipeline = FluxPipeline(None, None, None, None, None, None, copy.deepcopy(network))
        pipeline.load_ip_adapter(
            str(files.folder), path.name, subfolder="", local_files_only=True,
            image_encoder_pretrained_model_name_or_path=None,
        )  # fmt: skip
    pipeline.set_ip_adapter_scale(scale)
    options = {"joint_attention_kwargs": {"ip_adapter_image_embeds": [features[:, None]]}}
    reference = pipeline.transformer(**given, **options).sample

    kv = adapter.keys_values(adapter.tokens(ImagePrompt(features)))
    without = network(**given).sample
    for number, block in enumerate(network.transformer_blocks):
        _add_after(block, kv[number], scale)
    return measured(network(**given).sample, reference, without)


def _add_after(block, kv, scale):
    """Remembers the block's image queries, and adds the term to its image output."""
    seen = []
    block.attn.norm_q.register_forward_hook(lambda module, given, out: seen.append(out))

    def add(module, given, out):
        text, image = out
        return text, image + scale * xlabs_term(seen.pop().transpose(1, 2), kv)

    block.register_forward_hook(add)


class OurJointProcessor:
    """SD3's joint attention, and beside it the adapter's layer."""

    def __init__(self, layer, timed, scale):
        self.layer, self.timed, self.scale = layer, timed, scale

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, **_):
        def heads(x):
            return x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)

        image = [heads(f(hidden_states)) for f in (attn.to_q, attn.to_k, attn.to_v)]
        added = (attn.add_q_proj, attn.add_k_proj, attn.add_v_proj)
        text = [heads(f(encoder_hidden_states)) for f in added]
        norms = (attn.norm_q, attn.norm_k, lambda v: v)
        added_norms = (attn.norm_added_q, attn.norm_added_k, lambda v: v)
        both = [
            torch.cat([norm(i), added_norm(t)], 2)
            for norm, i, added_norm, t in zip(norms, image, added_norms, text, strict=True)
        ]
        out = F.scaled_dot_product_attention(*both).transpose(1, 2).flatten(2)
        out, said = out.split([hidden_states.shape[1], encoder_hidden_states.shape[1]], 1)
        prompt = self.layer.keys_values(self.timed)
        out = attn.to_out[0](out + self.scale * self.layer(*image, prompt))
        return out, said if attn.context_pre_only else attn.to_add_out(said)


@torch.no_grad()
def instantx_sd35(scale):
    """Tokens, keys and values at a timestep for each row."""
    from diffusers import SD3Transformer2DModel

    torch.manual_seed(0)
    network = SD3Transformer2DModel(
        sample_size=8, patch_size=1, in_channels=4, num_layers=2, attention_head_dim=64,
        num_attention_heads=2, joint_attention_dim=32, caption_projection_dim=128,
        pooled_projection_dim=16, out_channels=4, pos_embed_max_size=16, qk_norm="rms_norm",
    ).eval().requires_grad_(False)  # fmt: skip
    for name, parameter in network.named_parameters():
        if ".attn.norm_" in name:  # the model's own norms, which the adapter must not use
            parameter.copy_(1 + draw(*parameter.shape).abs())
    timestep = torch.tensor([500.0, 17.0])
    given = {
        "hidden_states": draw(2, 4, 8, 8), "encoder_hidden_states": draw(2, 5, 32),
        "pooled_projections": draw(2, 16), "timestep": timestep,
    }  # fmt: skip
    features = draw(2, 9, 40, seed=12)
    shapes = layouts.instantx_sd35(40, 96, 2, 128, 6, 32, 2)
    with Files() as files:
        path = files.folder / "sd35.safetensors"
        tensors = layouts.random_tensors(shapes)
        save_file(tensors, path)
        adapter = load_adapter(path)
    theirs = copy.deepcopy(network)
    parts = {
        part: {n.removeprefix(f"{part}."): t for n, t in tensors.items() if n.startswith(part)}
        for part in ("image_proj", "ip_adapter")
    }
    theirs._load_ip_adapter_weights(parts, low_cpu_mem_usage=False)
    for processor in theirs.attn_processors.values():
        processor.scale = scale
    options = {"joint_attention_kwargs": {"ip_adapter_image_embeds": features}}
    reference = theirs(**given, **options).sample

    without = network(**given).sample
    timed = adapter.image_proj(features, timestep)
    network.set_attn_processor(
        {
            name: OurJointProcessor(adapter.ip_adapter[str(i)], timed, scale)
            for i, name in enumerate(network.attn_processors)
        }
    )
    return measured(network(**given).sample, reference, without)


def cases():
    """Name -> a function that measures it."""
    return {
        "Flux: XLabs v1 (4 tokens)": partial(xlabs, 4, 32, 1.0),
        "Flux: XLabs v1, scale 0.35": partial(xlabs, 4, 32, 0.35),
        "Flux: XLabs v2 (16 tokens)": partial(xlabs, 16, 4096, 1.0),
        "SD3.5: InstantX, scale 0.5": partial(instantx_sd35, 0.5),
        "SD3.5: InstantX, scale 1.0": partial(instantx_sd35, 1.0),
    }
