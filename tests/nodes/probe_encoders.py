"""Inputs that no core node hands out, and what came of them. Copied into the test server."""

import gc
import json
from pathlib import Path

import comfy.cldm.cldm
import comfy.controlnet
import comfy.model_management
import comfy.ops
import torch


class ProbePicture:
    """IMAGE of a given size, made of a gradient. nan: one pixel is none."""

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802  the host's name
        sizes = {n: ("INT", {"default": d, "max": 10**5}) for n, d in
                 (("number", 1), ("height", 64), ("width", 96), ("channels", 3))}  # fmt: skip
        return {"required": {**sizes, "nan": ("BOOLEAN", {"default": False})}}

    def make(self, number, height, width, channels, nan):
        rows = torch.linspace(0, 1, height).view(1, -1, 1, 1)
        columns = torch.linspace(1, 0, width).view(1, 1, -1, 1)
        each = torch.linspace(0.2, 1, max(number, 1))[:number].view(-1, 1, 1, 1)
        picture = (each * rows * columns).expand(number, height, width, channels).clone()
        if nan:
            picture[0, 0, 0, 0] = float("nan")
        return (picture,)


class ProbeSound:
    """AUDIO of a tone of 440 Hz."""

    RETURN_TYPES = ("AUDIO",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {
            "required": {
                "seconds": ("FLOAT", {"default": 1.0}), "rate": ("INT", {"default": 16000}),
                "channels": ("INT", {"default": 1}),
            }
        }  # fmt: skip

    def make(self, seconds, rate, channels):
        time = torch.arange(round(seconds * rate)) / rate
        wave = torch.sin(2 * torch.pi * 440 * time)
        return ({"waveform": wave.expand(1, channels, -1), "sample_rate": rate},)


class ProbeHearing:
    """AUDIO_ENCODER whose tokens are the loudness of tenths of the sound, 128 times."""

    RETURN_TYPES = ("AUDIO_ENCODER",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {}}

    def make(self):
        return (_Hearing(),)


class _Hearing:
    def encode_audio(self, audio, sample_rate):
        loud = torch.stack([t.square().mean((1, 2)).sqrt() for t in audio.tensor_split(10, 2)], 1)
        return {"encoded_audio": loud[..., None].expand(-1, -1, 128), "audio_samples": 0}


class ProbeControlNet:
    """CONTROL_NET of ProbeModel's shape, with random weights."""

    RETURN_TYPES = ("CONTROL_NET",)
    FUNCTION = "make"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"seed": ("INT", {"default": 1})}}

    def make(self, seed):
        net = comfy.cldm.cldm.ControlNet(
            image_size=16, in_channels=4, model_channels=32, hint_channels=3,
            num_res_blocks=[1, 1], channel_mult=[1, 2], num_heads=2, use_spatial_transformer=True,
            context_dim=128, transformer_depth=[1, 1], transformer_depth_middle=1,
            operations=comfy.ops.manual_cast, dtype=torch.float32,
        )  # fmt: skip
        rng = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weight in net.parameters():
                weight.copy_(torch.randn(weight.shape, generator=rng) * 0.1)
        device = comfy.model_management.get_torch_device()
        return (comfy.controlnet.ControlNet(net, load_device=device),)


class ProbeConditioning:
    """CONDITIONING as JSON: shapes, keys and values of its entries."""

    RETURN_TYPES = ()
    FUNCTION = "tell"
    CATEGORY = "tests"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"conditioning": ("CONDITIONING",)}}

    def tell(self, conditioning):
        entries = [
            {
                "shape": list(tokens.shape),
                "sum": float(tokens.double().sum()),
                "finite": bool(tokens.isfinite().all()),
                "options": {k: _said(v) for k, v in sorted(options.items())},
            }
            for tokens, options in conditioning
        ]
        return {"ui": {"text": [json.dumps(entries)]}}


class ProbeMemory:
    """What is in memory, as JSON: how many models the host holds, and MiB in all."""

    RETURN_TYPES = ()
    FUNCTION = "tell"
    CATEGORY = "tests"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {}}

    @classmethod
    def IS_CHANGED(cls, **_):  # noqa: N802
        return float("nan")

    def tell(self):
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        said = {
            "models": len(comfy.model_management.current_loaded_models),
            "MiB": pages * 4096 / 2**20,
        }
        return {"ui": {"text": [json.dumps(said)]}}


def _said(value):
    return list(value.shape) if isinstance(value, torch.Tensor) else str(value)


NODE_CLASS_MAPPINGS = {
    probe.__name__: probe
    for probe in (
        ProbePicture,
        ProbeSound,
        ProbeHearing,
        ProbeControlNet,
        ProbeConditioning,
        ProbeMemory,
    )
}
