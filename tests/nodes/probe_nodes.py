"""Nodes that only the tests load: what no core node hands out. Copied into the test server."""

import json

import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.supported_models_base
import torch


class ProbeKeypoints:
    """JSON text as POSE_KEYPOINT, as a pose estimator's node hands it over."""

    RETURN_TYPES = ("POSE_KEYPOINT",)
    FUNCTION = "read"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802  the host's name
        return {"required": {"text": ("STRING", {"multiline": True})}}

    def read(self, text):
        return (json.loads(text),)


class ProbeAnything:
    """Hands on what it gets, of any type, as switches do."""

    RETURN_TYPES = ("*",)
    FUNCTION = "hand_on"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"anything": ("*",)}}

    def hand_on(self, anything):
        return (anything,)


class ForeignConfig(comfy.supported_models_base.BASE):
    unet_config = {}  # noqa: RUF012  the host's class attributes
    unet_extra_config = {}  # noqa: RUF012
    latent_format = comfy.latent_formats.SD15
    memory_usage_factor = 1.0


class ProbeModel:
    """A tiny UNet of the SD 1.5 family with random weights, for prompts of our text encoder."""

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {}}

    def make(self):
        config = ForeignConfig(
            {
                "image_size": 16, "in_channels": 4, "out_channels": 4, "model_channels": 32,
                "num_res_blocks": [1, 1], "channel_mult": [1, 2], "num_heads": 2,
                "use_spatial_transformer": True, "context_dim": 128, "transformer_depth": [1, 1],
                "transformer_depth_output": [1, 1, 1, 1], "transformer_depth_middle": 1,
            }
        )  # fmt: skip
        config.set_inference_dtype(torch.float32, None)
        config.custom_operations = comfy.ops.manual_cast
        model = comfy.model_base.BaseModel(config)
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


class ProbeDifference:
    """How far two latents are apart: largest difference and largest value, as JSON."""

    RETURN_TYPES = ()
    FUNCTION = "compare"
    CATEGORY = "tests"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"one": ("LATENT",), "other": ("LATENT",)}}

    def compare(self, one, other):
        a, b = one["samples"], other["samples"]
        said = {"difference": float((a - b).abs().max()), "size": float(a.abs().max())}
        return {"ui": {"text": [json.dumps(said)]}}


NODE_CLASS_MAPPINGS = {
    probe.__name__: probe for probe in (ProbeKeypoints, ProbeAnything, ProbeModel, ProbeDifference)
}
