"""Run by the host's Python from the host's folder: what the API cannot reach - two devices, latents
of several streams, windows over a latent, two graphs on one model.

Prints JSON. Both devices are the CPU under two names, which the host tells apart.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import inside  # noqa: F401, I001  first: it makes the rest importable
import comfy.context_windows
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.nested_tensor
import comfy.ops
import comfy.samplers
import torch
import probe_nodes
from inside_probe import control_net, off, random, refusal, words
from mmc_pack.nodes.host import modality as inputs
from mmc_pack.nodes.host.ip_adapter.prompt import CONDMask, Frame
from mmc_pack.nodes.host.make import Choices, make_guider
from mmc_pack.nodes.host.modality import Control, Guidance
from mmc_pack.nodes.host.sample import sample_with

LEVELS = torch.tensor([10.0, 5.0, 2.0, 1.0, 0.5, 0.0])


def text(seed, weight, name="text", **more):
    return inputs.condition(words(seed), words(9), name, Guidance(weight, **more))


def drawn(model, modalities, steps=3, batch=1, latent=None, **choices):
    connected = {str(k): m for k, m in enumerate(modalities)}
    guider = make_guider(model, connected, Choices("leave_one_out", 1.0, **choices))
    latent = torch.zeros(batch, 4, 16, 16) if latent is None else latent
    with torch.inference_mode():
        return sample_with(guider, 5, steps, "euler", "normal", 1.0, {"samples": latent})["samples"]


class Flat(torch.nn.Module):
    """A network for latents of any shape, as those of several streams are."""

    dtype = torch.float32

    def __init__(self, **_):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, x, timesteps, context=None, **_):
        return 0.3 * x + 0.1 * context.mean((1, 2)).view(-1, *[1] * (x.ndim - 1))


def flat_model():
    config = probe_nodes.ForeignConfig({})
    config.set_inference_dtype(torch.float32, None)
    config.custom_operations = comfy.ops.manual_cast
    model = comfy.model_base.BaseModel(config, unet_model=Flat)
    return comfy.model_patcher.ModelPatcher(model, torch.device("cpu"), torch.device("cpu"))


def streams(modalities, batch=1):
    """A run on picture frames and sound at once: the shapes that came out, and whether finite."""
    connected = {str(k): m for k, m in enumerate(modalities)}
    choices = Choices("leave_one_out", 1.0, "balanced", "apg")
    guider = make_guider(flat_model(), connected, choices)
    shapes = (batch, 4, 3, 8, 8), (batch, 2, 5)
    noise = comfy.nested_tensor.NestedTensor([random(1, *s) for s in shapes])
    empty = comfy.nested_tensor.NestedTensor([torch.zeros(s) for s in shapes])
    with torch.inference_mode():
        out = guider.sample(noise, empty, comfy.samplers.sampler_object("euler"), LEVELS, seed=1)
    parts = out.unbind()
    return [list(p.shape) for p in parts], all(bool(p.isfinite().all()) for p in parts)


def two_devices(model, modalities, alone):
    second = probe_nodes.ProbeModel().make()[0].model
    device = torch.device("cpu", 0)
    clone = comfy.model_patcher.ModelPatcher(second, device, device)
    if not hasattr(clone, "is_multigpu_base_clone"):
        return None
    clone.is_multigpu_base_clone = True
    rows = []
    second.diffusion_model.register_forward_pre_hook(lambda m, args: rows.append(len(args[0])))
    both = model.clone()
    both.set_additional_models("multigpu", [clone])
    return {"off": off(drawn(both, modalities), alone), "rows there": rows}


def windows(model, modalities, alone):
    """Over the rows of the latent, as they are over frames of a video."""
    cw = comfy.context_windows
    handler = cw.IndexListContextHandler(
        context_schedule=cw.get_matching_context_schedule(cw.ContextSchedules.STATIC_STANDARD),
        fuse_method=cw.get_matching_fuse_method(cw.ContextFuseMethods.PYRAMID),
        context_length=8, context_overlap=4, context_stride=1, closed_loop=False, dim=2,
    )  # fmt: skip
    cut = model.clone()
    cut.model_options["context_handler"] = handler
    found = drawn(cut, modalities)
    return {"finite": bool(found.isfinite().all()), "off": off(found, alone)}


def mask_of_a_part():
    """What a row of the lower left quarter carries of a mask that counts its pixels."""
    frame = Frame((4, 6))
    mask = torch.arange(8 * 12.0).view(1, 1, 8, 12)
    cut = CONDMask(mask, frame).process_cond(2, area=(2, 3, 2, 0)).cond
    frame.size = (8, 12)
    whole = CONDMask(mask, frame).process_cond(1).cond
    return cut.tolist(), bool(torch.equal(whole, mask))


model = probe_nodes.ProbeModel().make()[0]
nets = control_net(1), control_net(2)
pictures = [random(s, 1, 128, 128, 3).sigmoid() for s in (3, 4)]
modalities = [
    text(1, 4.0),
    inputs.depth(None, Control(nets[0]), pictures[0], Guidance(2.0)),
    inputs.pose(None, Control(nets[1]), pictures[1], None, Guidance(3.0)),
]
alone = drawn(model, modalities)
told = [text(1, 4.0), text(2, 2.0, "other")]
mask = text(1, 4.0, mask=torch.ones(1, 8, 8))
other = drawn(model, told, speed="balanced", steps=6)
found = {
    "two devices": two_devices(model, modalities, alone),
    "windows": windows(model, told, drawn(model, told)),
    "streams": streams(told),
    "streams, a weight each": streams([text(1, 4.0, weights="3, 2"), told[1]], 2),
    "streams, a mask": refusal(lambda: streams([mask, told[1]])),
    "mask of a part": mask_of_a_part(),
    "again": bool(torch.equal(alone, drawn(model, modalities))),
    "other again": bool(torch.equal(other, drawn(model, told, speed="balanced", steps=6))),
}
sys.stdout.write(json.dumps(found) + "\n")
