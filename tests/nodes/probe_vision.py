"""Tiny UNets with the layers of SD1.5 and SDXL, a tiny CLIP vision, and a foreign attention patch.

Only the tests load them; random weights. Copied into the test server.
"""

import json
import tempfile
from pathlib import Path

import comfy.clip_vision
import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.supported_models_base
import torch

CONTEXT, CLIP = 128, 48
UNETS = {
    "SD1.5": {
        "num_res_blocks": [2, 2, 2, 2], "channel_mult": [1, 2, 4, 4],
        "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
        "transformer_depth_output": [1] * 9 + [0] * 3, "transformer_depth_middle": 1,
    },
    "SDXL": {
        "num_res_blocks": [2, 2, 2], "channel_mult": [1, 2, 4],
        "transformer_depth": [0, 0, 2, 2, 10, 10],
        "transformer_depth_output": [0, 0, 0, 2, 2, 2, 10, 10, 10],
        "transformer_depth_middle": 10,
    },
}  # fmt: skip
UNETS["turned over"] = {
    **UNETS["SDXL"], "transformer_depth_output": [10, 10, 10, 2, 2, 2, 0, 0, 0]
}  # fmt: skip


class ProbeUNet:
    RETURN_TYPES = ("MODEL",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802  the host's name
        return {"required": {"layout": (list(UNETS),), "context": ("INT", {"default": CONTEXT})}}

    def make(self, layout, context):
        config = _Config(
            {
                "image_size": 16, "in_channels": 4, "out_channels": 4, "model_channels": 32,
                "num_heads": 2, "use_spatial_transformer": True, "context_dim": context,
                **UNETS[layout],
            }
        )  # fmt: skip
        config.set_inference_dtype(torch.float32, None)
        config.custom_operations = comfy.ops.manual_cast
        model = comfy.model_base.BaseModel(config)
        _fill(model.diffusion_model)
        return (_patcher(model),)


class _Config(comfy.supported_models_base.BASE):
    unet_config = {}  # noqa: RUF012  the host's class attributes
    unet_extra_config = {}  # noqa: RUF012
    latent_format = comfy.latent_formats.SD15
    memory_usage_factor = 1.0


class ProbeVision:
    """A CLIP vision of three layers; image_embeds are `width` numbers."""

    RETURN_TYPES = ("CLIP_VISION",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"width": ("INT", {"default": CLIP})}}

    def make(self, width):
        config = {
            "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 3,
            "num_attention_heads": 2, "num_channels": 3, "image_size": 56, "patch_size": 14,
            "hidden_act": "gelu", "layer_norm_eps": 1e-5, "projection_dim": width,
            "model_type": "clip_vision_model",
        }  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:  # older hosts read a file only
            path = Path(folder) / "config.json"
            path.write_text(json.dumps(config))
            vision = comfy.clip_vision.ClipVisionModel(str(path))
        _fill(vision.model)
        return (vision,)


class ProbeAttention:
    """A MODEL with another pack's replacement of one text attention, which halves what it gives."""

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "patch"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"model": ("MODEL",)}}

    def patch(self, model):
        from comfy.ldm.modules.attention import optimized_attention

        def halved(q, k, v, extra):
            return 0.5 * optimized_attention(q, k, v, extra["n_heads"])

        model = model.clone()
        model.set_model_attn2_replace(halved, "middle", 0)
        return (model,)


def _fill(network):
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            noise = torch.randn(weight.shape, generator=rng)
            if weight.ndim > 1:
                weight.copy_(noise * 1.5 * weight[0].numel() ** -0.5)
            else:
                weight.copy_(noise * 0.05 + ("norm" in name and name.endswith("weight")))


def _patcher(model):
    manage = comfy.model_management
    return comfy.model_patcher.ModelPatcher(
        model, manage.get_torch_device(), manage.unet_offload_device()
    )


NODE_CLASS_MAPPINGS = {probe.__name__: probe for probe in (ProbeUNet, ProbeVision, ProbeAttention)}
