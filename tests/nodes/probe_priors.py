"""A tiny unCLIP model's prompt, and image embeddings as the host itself makes them. Copied into
the test server."""

import json

import comfy.clip_vision
import torch


class ProbeNative:
    """The vectors of a CLIP_VISION_OUTPUT in a new one, as CLIP Vision Encode hands them over."""

    RETURN_TYPES = ("CLIP_VISION_OUTPUT",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802  the host's name
        return {"required": {"clip_vision_output": ("CLIP_VISION_OUTPUT",)}}

    def make(self, clip_vision_output):
        out = comfy.clip_vision.Output()
        out["image_embeds"] = clip_vision_output.image_embeds.clone()
        return (out,)


class ProbeVector:
    """CLIP_VISION_OUTPUT of random vectors of a length."""

    RETURN_TYPES = ("CLIP_VISION_OUTPUT",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {
            "required": {
                "width": ("INT", {"default": 768, "max": 10**4}),
                "length": ("FLOAT", {"default": 20.0, "max": 100.0}),
            }
        }

    def make(self, width, length):
        noise = torch.randn(1, width, generator=torch.Generator().manual_seed(1))
        out = comfy.clip_vision.Output()
        out["image_embeds"] = length * torch.nn.functional.normalize(noise, dim=1)
        return (out,)


class ProbeMade:
    """The vectors of a CLIP_VISION_OUTPUT as JSON, and the shape of a MMC_EMBEDDING's tokens."""

    RETURN_TYPES = ()
    FUNCTION = "tell"
    CATEGORY = "tests"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {
            "required": {"clip_vision_output": ("CLIP_VISION_OUTPUT",)},
            "optional": {"embedding": ("MMC_EMBEDDING",)},
        }

    def tell(self, clip_vision_output, embedding=None):
        said = {"vectors": clip_vision_output.image_embeds.tolist()}
        if embedding is not None:
            said["tokens"] = list(embedding.said.tokens.shape)
            said["alike"] = bool(torch.equal(embedding.vector, clip_vision_output.image_embeds))
        return {"ui": {"text": [json.dumps(said)]}}


class ProbeWords:
    """CONDITIONING of random tokens."""

    RETURN_TYPES = ("CONDITIONING",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"width": ("INT", {"default": 1024, "max": 10**4})}}

    def make(self, width):
        rng = torch.Generator().manual_seed(2)
        return ([[torch.randn(1, 7, width, generator=rng), {"pooled_output": None}]],)


NODE_CLASS_MAPPINGS = {
    probe.__name__: probe for probe in (ProbeNative, ProbeVector, ProbeMade, ProbeWords)
}
