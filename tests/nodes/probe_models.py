"""A model and a hook that only the tests load, with random weights. Copied into the test server."""

import comfy.hooks
import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.supported_models
import torch

SIZE = {
    "image_model": "flux", "in_channels": 16, "out_channels": 16, "patch_size": 2,
    "vec_in_dim": 128, "context_in_dim": 128, "hidden_size": 64, "mlp_ratio": 2.0, "num_heads": 2,
    "depth": 3, "depth_single_blocks": 2, "axes_dim": [8, 12, 12], "theta": 10000,
    "qkv_bias": True, "guidance_embed": True, "txt_ids_dims": [],
}  # fmt: skip


class ProbeDiT:
    """A tiny transformer of the Flux family, for prompts of our text encoder."""

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802  the host's name
        return {"required": {}}

    def make(self):
        config = comfy.supported_models.Flux(dict(SIZE))
        config.set_inference_dtype(torch.float32, None)
        config.custom_operations = comfy.ops.manual_cast
        model = comfy.model_base.Flux(config)
        _fill(model.diffusion_model, seed=0)
        manage = comfy.model_management
        return (
            comfy.model_patcher.ModelPatcher(
                model, manage.get_torch_device(), manage.unet_offload_device()
            ),
        )


class ProbeHook:
    """HOOKS that pull weights towards others, as CreateHookModelAsLora does.

    Of a MODEL the values of attention, of a CLIP the word embeddings.
    """

    RETURN_TYPES = ("HOOKS",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"optional": {"model": ("MODEL",), "clip": ("CLIP",)}}

    def make(self, model=None, clip=None):
        network = _others(model.model, ("to_v", "to_out.0")) if model else {}
        words = _others(clip.cond_stage_model, ("weight",)) if clip else {}
        return (comfy.hooks.create_hook_model_as_lora(network, words, 1.0, 1.0),)


class ProbeBoxes:
    """CONDITIONING with boxes as GLIGEN's nodes add them: a patch between the two attentions."""

    RETURN_TYPES = ("CONDITIONING",)
    FUNCTION = "add"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"conditioning": ("CONDITIONING",)}}

    def add(self, conditioning):
        device = torch.device("cpu")
        patcher = comfy.model_patcher.ModelPatcher(_Boxes(), device, device)
        added = {"gligen": ("position", patcher, [])}
        return ([[tokens, {**options, **added}] for tokens, options in conditioning],)


class _Boxes(torch.nn.Module):
    def set_position(self, latent_shape, position_params, device):
        return lambda n, extra: n + 0.5

    def set_empty(self, latent_shape, device):
        return lambda n, extra: n


def _others(module, names):
    rng = torch.Generator().manual_seed(7)
    return {
        name: weight + 0.1 * torch.randn(weight.shape, generator=rng)
        for name, weight in module.state_dict().items()
        if any(part in name for part in names)
    }


def _fill(network, seed):
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            noise = torch.randn(weight.shape, generator=rng)
            if weight.ndim > 1:
                weight.copy_(noise * weight[0].numel() ** -0.5)
            else:
                weight.copy_(noise * 0.05 + ("norm" in name))


NODE_CLASS_MAPPINGS = {probe.__name__: probe for probe in (ProbeDiT, ProbeHook, ProbeBoxes)}
