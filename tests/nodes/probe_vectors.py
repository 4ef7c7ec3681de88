"""Image embeddings for the tests: made up, looked into, and read by a tiny unCLIP model.

Only the tests load them; random weights. Copied into the test server.
"""

import json
import sys

import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.supported_models_base
import torch

WIDTH, CONTEXT = 48, 128


class ProbeEmbedding:
    """CLIP_VISION_OUTPUT of one random vector for each image, as a prior of the pack gives it."""

    RETURN_TYPES = ("CLIP_VISION_OUTPUT",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802  the host's name
        return {
            "required": {
                "count": ("INT", {"default": 1}), "width": ("INT", {"default": WIDTH}),
                "seed": ("INT", {"default": 0}), "length": ("FLOAT", {"default": 7.0}),
                "unit": ("BOOLEAN", {"default": False}),
            }
        }  # fmt: skip

    def make(self, count, width, seed, length, unit):
        space, vectors = _pack("mm_core.priors.space"), _pack("nodes.host.prior.vectors")
        rng = torch.Generator().manual_seed(seed)
        drawn = torch.nn.functional.normalize(torch.randn(count, width, generator=rng))
        own = width == space.EMBEDDED.width
        of = space.EMBEDDED if own else space.space_of_width(width)
        made = vectors.VectorOutput(space.ImageEmbedding(drawn, of, unit))
        if not unit:
            made.image_embeds *= length  # of any length, as a damaged one is
        return (made,)


class ProbeVectors:
    """A field of a CLIP_VISION_OUTPUT as LATENT, to be saved; and what it says of itself."""

    RETURN_TYPES = ("LATENT",)
    FUNCTION = "look"
    CATEGORY = "tests"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        fields = ["image_embeds", "last_hidden_state", "penultimate_hidden_states"]
        return {"required": {"output": ("CLIP_VISION_OUTPUT",), "field": (fields,)}}

    def look(self, output, field):
        said = {
            "space": str(getattr(output, "mmc_space", None)),
            "unit": getattr(output, "mmc_unit", None),
        }
        found = {"samples": getattr(output, field).clone()}
        return {"ui": {"text": [json.dumps(said)]}, "result": (found,)}


class ProbeUnclip:
    """A tiny UNet that reads our text and image embeddings: unCLIP's of width 48, SDXL's of 1280 in
    place of the pooled text."""

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"kind": (["unCLIP", "SDXL"],)}}

    def make(self, kind):
        read = {"unCLIP": 2 * WIDTH, "SDXL": 1280 + 6 * 256}[kind]
        config = _Config(
            {
                "image_size": 16, "in_channels": 4, "out_channels": 4, "model_channels": 32,
                "num_res_blocks": [1, 1], "channel_mult": [1, 2], "num_heads": 2,
                "use_spatial_transformer": True, "context_dim": CONTEXT,
                "transformer_depth": [1, 1], "transformer_depth_output": [1, 1, 1, 1],
                "transformer_depth_middle": 1, "adm_in_channels": read,
                "num_classes": "sequential",
            }
        )  # fmt: skip
        config.set_inference_dtype(torch.float32, None)
        config.custom_operations = comfy.ops.manual_cast
        schedule = {"timesteps": 1000, "beta_schedule": "squaredcos_cap_v2"}
        noise = {"noise_schedule_config": schedule, "timestep_dim": WIDTH}
        base = comfy.model_base
        model = base.SD21UNCLIP(config, noise) if kind == "unCLIP" else base.SDXL(config)
        rng = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for weight in model.diffusion_model.parameters():
                weight.copy_(torch.randn(weight.shape, generator=rng) * 0.1)
        manage = comfy.model_management
        return (
            comfy.model_patcher.ModelPatcher(
                model, manage.get_torch_device(), manage.unet_offload_device()
            ),
        )


class ProbePooled:
    """CONDITIONING with a pooled vector as wide as SDXL's, of zeros behind its own."""

    RETURN_TYPES = ("CONDITIONING",)
    FUNCTION = "widen"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"conditioning": ("CONDITIONING",)}}

    def widen(self, conditioning):
        def wide(pooled):
            return torch.nn.functional.pad(pooled, (0, 1280 - pooled.shape[-1]))

        return ([[t, {**o, "pooled_output": wide(o["pooled_output"])}] for t, o in conditioning],)


class _Config(comfy.supported_models_base.BASE):
    unet_config = {}  # noqa: RUF012  the host's class attributes
    unet_extra_config = {}  # noqa: RUF012
    latent_format = comfy.latent_formats.SD15
    memory_usage_factor = 1.0


def _pack(end):
    """A module of the pack, which the host has loaded under a name of its own."""
    return next(m for n, m in list(sys.modules.items()) if n.endswith(f".{end}"))


NODE_CLASS_MAPPINGS = {
    probe.__name__: probe for probe in (ProbeEmbedding, ProbeVectors, ProbeUnclip, ProbePooled)
}
