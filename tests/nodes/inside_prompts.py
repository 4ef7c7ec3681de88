"""Run by the host's Python from the host's folder: where image prompts act in a latent, layer by
layer, and on two devices.

Prints JSON. What one layer adds, with a mask and without, is read behind its attention.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import inside  # noqa: F401, I001  first: it makes the rest importable
import comfy.model_patcher
import comfy.samplers
import folder_paths
import torch

import probe_vision
import random_adapters
from mmc_pack.mm_core.adapters.ip_adapter.keys_values import KV
from mmc_pack.mm_core.adapters.ip_adapter.sites import SD15, sites
from mmc_pack.nodes.host import modality as inputs
from mmc_pack.nodes.host.ip_adapter import files, plain, prompt
from mmc_pack.nodes.host.ip_adapter.bank import Bank
from mmc_pack.nodes.host.make import Choices, make_guider

PLACES = {site.place: site.host_module for site in sites(SD15)}
CASES = {  # rows and columns of the latent, images, area: rows, columns, top, left
    "tall": ((20, 12), 1, None),
    "wide, two masks": ((12, 20), 2, None),
    "odd": ((13, 9), 1, None),
    "an area": ((20, 12), 1, (10, 6, 8, 2)),
    "an odd area of an odd latent": ((21, 15), 1, (13, 9, 8, 3)),
    "an area at the edge, two masks": ((16, 24), 2, (8, 10, 8, 14)),
}
LEVELS = {0: 0, 2: 1, 4: 2, 6: 3, 15: 0}  # places of layers: how often their grid was halved


def random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def words(area):
    return [[2 * random(1, 1, 7, 128), {} if area is None else {"area": area}]]


def nothing():
    return [[2 * random(9, 1, 7, 128), {}]]


def style(mask, place, weight=1.0, strength=1.0):
    look = prompt.Style(strength, layers="" if place is None else f"{place}:1", mask=mask)
    picture = random(3, 1, 64, 64, 3).sigmoid()
    return inputs.style(None, adapter, vision, picture, look, inputs.Guidance(weight))


def guided(model, area, styled):
    """A guider of ours with one row."""
    text = inputs.condition(words(area), nothing(), "text", inputs.Guidance(1.0))
    return make_guider(model, {"0": text, "1": styled}, Choices("leave_one_out", 1.0))


def applied(model, area, styled):
    """The host's own guider, with one row."""
    patched, positive, negative = plain.apply_prompt(model, words(area), nothing(), styled)
    guider = comfy.samplers.CFGGuider(patched)
    guider.set_conds(positive, negative)
    guider.set_cfg(1.0)
    return guider


def sampled(guider, size, images, steps=1):
    noise = random(5, images, 4, *size)
    sigmas = torch.linspace(3.0, 0.0, steps + 1)
    sampler = comfy.samplers.sampler_object("euler")
    with torch.inference_mode():
        return guider.sample(noise, torch.zeros_like(noise), sampler, sigmas, seed=1)


def behind(place, make, size, images):
    """What the text attention of a place gives (images, h w, width)."""
    seen = []
    layer = unet.model.diffusion_model.get_submodule(f"{PLACES[place]}.to_out")
    hook = layer.register_forward_hook(lambda module, given, out: seen.append(out.clone()))
    sampled(make(), size, images)
    hook.remove()
    (one,) = seen
    return one


def cells(mask, levels):
    """A mask (h, w) on a grid that halves its sides and rounds up, so many times: each cell is the
    mean of all places it touches."""
    rows, columns = mask.shape
    tall, wide = rows, columns
    for _ in range(levels):
        tall, wide = -(-tall // 2), -(-wide // 2)

    def span(i, count, of):
        return slice(i * of // count, -(-(i + 1) * of // count))

    return torch.stack(
        [mask[span(i, tall, rows), span(j, wide, columns)].mean()
         for i in range(tall) for j in range(wide)]
    )  # fmt: skip


def fits(make, size, images, area):
    """How far what each layer adds is from its share of what it adds without a mask; and the
    smallest of what was added."""
    pixels = torch.rand(
        images, 2 * size[0], 2 * size[1], generator=torch.Generator().manual_seed(8)
    )
    latent = pixels.unflatten(1, (-1, 2)).unflatten(3, (-1, 2)).mean((2, 4))
    tall, wide, top, left = area or (*size, 0, 0)
    part = latent[:, top : top + tall, left : left + wide]
    errors, effects = [], []
    for place, levels in LEVELS.items():
        none, whole, masked = (
            behind(place, lambda s=s: make(unet, area, s), size, images)
            for s in (style(None, place, strength=0.0), style(None, place), style(pixels, place))
        )
        share = torch.stack([cells(one, levels) for one in part])[..., None]
        added = whole - none
        errors.append(float((masked - none - share * added).abs().max() / added.abs().max()))
        effects.append(float(added.abs().max() / none.abs().max()))
    return max(errors), min(effects)


def two_devices():
    """The largest difference of a run whose rows are dealt to two; and the rows of the second."""
    made = [style(None, None, 3.0), style(torch.ones(1, 8, 8), None, 2.0)]
    text = inputs.condition(words(None), nothing(), "text", inputs.Guidance(2.0))

    def drawn(model):
        connected = {str(k): m for k, m in enumerate((text, *made))}
        guider = make_guider(model, connected, Choices("leave_one_out", 1.0))
        return sampled(guider, (16, 16), 1, 3)

    alone = drawn(unet)
    second, device, rows = probe_vision.ProbeUNet().make("SD1.5", 128)[0].model, "cpu:0", []
    clone = comfy.model_patcher.ModelPatcher(second, torch.device(device), torch.device(device))
    if not hasattr(clone, "is_multigpu_base_clone"):
        return None
    clone.is_multigpu_base_clone = True
    second.diffusion_model.register_forward_pre_hook(lambda m, args: rows.append(len(args[0])))
    both = unet.clone()
    both.set_additional_models("multigpu", [clone])
    return float((drawn(both) - alone).abs().max() / alone.abs().max()), rows


def copies_by_device():
    """Where the keys of one bank are, asked for by two devices in turn, and again."""
    bank = Bank(
        {1: KV(torch.ones(1, 4, 8), torch.ones(1, 4, 8))}, None, {1: 1.0}, bias=torch.ones(4)
    )
    asked = ["cpu", "meta", "cpu", "meta"]
    found = [bank.at(1, torch.empty(1, device=d))[0].k for d in asked]
    biases = [bank.bias_at(torch.empty(1, device=d)) for d in asked]
    same = [found[k] is found[k + 2] and biases[k] is biases[k + 2] for k in (0, 1)]
    return [str(k.device) for k in found], [str(b.device) for b in biases], same


folder = Path(tempfile.mkdtemp())
random_adapters.write_all(folder)
folder_paths.add_model_folder_path("ipadapter", str(folder))
adapter = files.load("one.safetensors")
vision = probe_vision.ProbeVision().make(48)[0]
unet = probe_vision.ProbeUNet().make("SD1.5", 128)[0]
routes = {"guider": guided, "applied": applied}
found = {
    "masks": {
        f"{case}, {route}": fits(make, *given)
        for case, given in CASES.items()
        for route, make in routes.items()
    },
    "two devices": two_devices(),
    "copies": copies_by_device(),
}
sys.stdout.write(json.dumps(found) + "\n")
