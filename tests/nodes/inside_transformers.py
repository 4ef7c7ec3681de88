"""Run by the host's Python from the host's folder: image prompts on tiny Flux, SD3.5 and
Kolors networks, and pictures of every kind.

Prints JSON. What each adapter should do is done a second time, by hooks on the host's own modules
and the formulas of mm_core, which are compared with diffusers elsewhere.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import inside  # noqa: F401, I001  first: it makes the rest importable
import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.supported_models
import folder_paths
import layouts
import torch
from safetensors.torch import save_file

import probe_models
import probe_vision
import random_adapters
import tiny_encoders
from mmc_pack.mm_core.adapters.ip_adapter.flux import instantx_term, xlabs_term
from mmc_pack.mm_core.errors import MMError
from mmc_pack.nodes.host import modality as inputs
from mmc_pack.nodes.host.encoders import files as encoder_files
from mmc_pack.nodes.host.ip_adapter import files
from mmc_pack.nodes.host.ip_adapter.pictures import features
from mmc_pack.nodes.host.ip_adapter.plain import apply_prompt
from mmc_pack.nodes.host.ip_adapter.prompt import (
    ImagePromptEffect,
    Style,
)
from mmc_pack.nodes.host.make import Choices, make_guider
from mmc_pack.nodes.host.modality import Guidance
from mmc_pack.nodes.host.sample import sample_with

torch.set_grad_enabled(False)  # as the host runs every node
CONTEXT, CLIP, HIDDEN, SIGLIP = 96, 48, 64, 32
SHAPES = {
    "xlabs": layouts.xlabs(CLIP, CONTEXT, 64, 4, blocks=3),
    "instantx": layouts.instantx_flux(SIGLIP, CONTEXT, 64, 8, blocks=5),
    "sd35": layouts.instantx_sd35(HIDDEN, 96, 2, 128, 6, 32, 2, 64),
}
SD3 = {
    "in_channels": 16, "depth": 2, "num_blocks": 2, "adm_in_channels": 128, "qk_norm": "rms",
    "context_embedder_config": {
        "target": "torch.nn.Linear", "params": {"in_features": 128, "out_features": 128}
    },
    "pos_embed_scaling_factor": None, "pos_embed_max_size": 32, "num_patches": 32 * 32,
    "input_size": None,
}  # fmt: skip


def random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def words(seed):
    return [[2 * random(seed, 1, 7, 128), {"pooled_output": random(seed + 50, 1, 128)}]]


def sd3(**changes):
    config = comfy.supported_models.SD3({**SD3, **changes})
    config.set_inference_dtype(torch.float32, None)
    config.custom_operations = comfy.ops.manual_cast
    model = comfy.model_base.SD3(config)
    probe_models._fill(model.diffusion_model, seed=3)
    with torch.no_grad():
        model.diffusion_model.pos_embed.copy_(
            0.1 * random(4, *model.diffusion_model.pos_embed.shape)
        )
        for name, weight in model.diffusion_model.named_parameters():
            if ".ln_" in name:  # gains of the model's own norms, which the adapter must not feel
                weight.copy_(0.5 + random(len(name), *weight.shape).abs())
    device = torch.device("cpu")
    return comfy.model_patcher.ModelPatcher(model, device, device)


def flux():
    return probe_models.ProbeDiT().make()[0]


folder = Path(tempfile.mkdtemp())
folder_paths.add_model_folder_path("ipadapter", str(folder))
for seed, (name, shapes) in enumerate(SHAPES.items()):
    save_file(layouts.random_tensors(shapes, seed), folder / f"{name}.safetensors")
adapters = {name: files.load(f"{name}.safetensors") for name in SHAPES}
vision = probe_vision.ProbeVision().make(CLIP)[0]
folder_paths.add_model_folder_path("mmc_encoders", str(folder / "encoders"))
for name, write in (("siglip", tiny_encoders.siglip), ("dinov2", tiny_encoders.dinov2)):
    (folder / "encoders" / name).mkdir(parents=True)
    torch.manual_seed(0)
    write(folder / "encoders" / name)
encoder = encoder_files.load("siglip", "image")
PICTURES = random(8, 2, 64, 64, 3).sigmoid()


def text(weight, seed=1):
    return inputs.condition(words(seed), words(9), "text", Guidance(weight))


def style(kind, weight=1.0, pictures=PICTURES[:1], guidance=None, **look):
    reads = encoder if kind == "instantx" else vision
    guidance = guidance or Guidance(weight)
    return inputs.style(None, adapters[kind], reads, pictures, Style(**look), guidance)


def drawn(model, *modalities, size=(1, 16, 12, 20), steps=2, **choices):
    connected = {str(k): m for k, m in enumerate(modalities)}
    guider = make_guider(model, connected, Choices("leave_one_out", 1.0, **choices))
    latent = {"samples": torch.zeros(*size)}
    return sample_with(guider, 5, steps, "euler", "normal", 1.0, latent)["samples"]


def off(found, wanted):
    return float((found - wanted).abs().max() / wanted.abs().max())


def refusal(run):
    try:
        run()
    except MMError as e:
        return str(e)


# The same adapters by hooks on the modules themselves.


def hooked_flux(kind, scale=1.0):
    """A Flux whose modules themselves add what the adapter says, and the calls that were made."""
    model = flux()
    network, effect = model.model.diffusion_model, style(kind).effect
    kvs = adapters[kind].patcher.model.keys_values(effect.tokens)
    seen = {}
    for i, block in enumerate(network.double_blocks):
        block.img_attn.norm.register_forward_hook(
            lambda m, given, out, i=i: seen.__setitem__(i, out[0])
        )
        if kind == "xlabs":
            block.register_forward_hook(
                lambda m, given, out, i=i: (out[0] + scale * xlabs_term(seen[i], kvs[i]), out[1])
            )
        else:
            block.img_attn.proj.register_forward_pre_hook(
                lambda m, given, i=i: (given[0] + scale * instantx_term(seen[i], kvs[i]),)
            )
    for i, block in enumerate(network.single_blocks, start=len(network.double_blocks)):
        if kind == "xlabs":
            break
        block.norm.register_forward_hook(lambda m, given, out, i=i: seen.__setitem__(i, out[0]))

        def add(m, given, i=i):
            term = scale * instantx_term(seen[i], kvs[i])
            return (given[0] + torch.nn.functional.pad(term, (0, given[0].shape[-1] - 64)),)

        block.linear2.register_forward_pre_hook(add)
    return model


def hooked_sd3(scale=1.0):
    """An SD3.5 whose image attention adds what the adapter says, from queries before any norm."""
    model = sd3()
    module, features = adapters["sd35"].patcher.model, style("sd35").effect.tokens
    seen, now = {}, {}
    # The network's own view of the time: what it embeds.
    model.model.diffusion_model.t_embedder.register_forward_pre_hook(
        lambda m, given: now.__setitem__("t", given[0][:1])
    )
    for i, block in enumerate(model.model.diffusion_model.joint_blocks):
        block.x_block.attn.qkv.register_forward_hook(
            lambda m, given, out, i=i: seen.__setitem__(i, out)
        )

        def add(m, given, i=i):
            timed = module.image_proj(features, now["t"])
            layer = module.ip_adapter[str(i)]
            qkv = seen[i].unflatten(-1, (3, 2, 64)).permute(2, 0, 3, 1, 4)
            return (given[0] + scale * layer(*qkv, layer.keys_values(timed)),)

        block.x_block.attn.proj.register_forward_pre_hook(add)
    return model


def checked(kind, make, hooked):
    model, one = make(), text(1.0)
    without, with_it = drawn(model, one), drawn(model, one, style(kind))
    both, first, two = style(kind, 3.0), style(kind), (2, 16, 8, 8)
    pair = style(kind, pictures=PICTURES, combine="one each")
    mask = torch.ones(1, 5, 9)
    half = torch.cat([torch.ones(1, 24, 20), torch.zeros(1, 24, 20)], -1)  # of 24 x 40 pixels
    masked = drawn(model, one, style(kind, mask=half), steps=1)
    return {
        "acts": off(with_it, without),
        "off": off(with_it, drawn(hooked(), one)),
        "half as loud": off(drawn(model, one, style(kind, strength=0.5)), drawn(hooked(0.5), one)),
        "weight 0": bool(torch.equal(drawn(model, one, style(kind, 0.0)), without)),
        "strength 0": bool(torch.equal(drawn(model, one, style(kind, strength=0.0)), without)),
        "rows": off(
            drawn(model, one, both, steps=1),
            3 * drawn(model, one, style(kind), steps=1) - 2 * drawn(model, one, steps=1),
        ),
        "again": bool(torch.equal(with_it, drawn(model, one, style(kind)))),
        "without again": bool(torch.equal(without, drawn(model, one))),
        "mask of ones": off(drawn(model, one, style(kind, mask=mask)), with_it),
        "mask of zeros": off(drawn(model, one, style(kind, mask=0 * mask)), without),
        "half a mask": [off(masked, without), off(masked, with_it)],
        "two pictures": off(drawn(model, one, style(kind, pictures=PICTURES)), with_it),
        "one each": off(
            drawn(model, one, pair, size=two)[0], drawn(model, one, first, size=two)[0]
        ),
        "twice": off(
            drawn(model, one, style(kind), inputs_named(style(kind), "other")),
            drawn(hooked(2.0), one),
        ),
        "layers": off(drawn(model, one, style(kind, layers="1:1")), with_it),
        "weak": refusal(lambda: drawn(model, one, style(kind, weight_type="weak input"))),
        "native": native(model, kind),
        "one each, none": off(
            drawn(model, one, pair_of(kind, 2.0, absent="null picture"), size=two)[1],
            drawn(model, one, style(kind, 2.0, PICTURES[1:], absent="null picture"), size=two)[1],
        ),
        "one each, away": off(
            drawn(model, one, pair_of(kind, 2.0, negative=PICTURES.flip(0)), size=two)[1],
            drawn(model, one, style(kind, 2.0, PICTURES[1:], negative=PICTURES[:1]), size=two)[1],
        ),
        "away from itself": off(
            drawn(model, one, style(kind, 4.0, PICTURES, negative=PICTURES)),
            drawn(model, one, style(kind, 1.0, PICTURES, negative=PICTURES)),
        ),
        "two to push away from": [
            off(
                drawn(model, one, style(kind, 3.0, negative=PICTURES)),
                drawn(model, one, style(kind, 3.0, negative=away)),
            )
            for away in (PICTURES[:1], PICTURES[1:], PICTURES.flip(0))
        ],
        "too few": refusal(lambda: drawn(model, one, pair_of(kind), size=(3, *two[1:]))),
        "too few, native": refusal(lambda: native(model, kind, pair_of(kind), size=(3, *two[1:]))),
        "masks": refusal(
            lambda: drawn(model, one, style(kind, mask=torch.ones(3, 8, 8)), size=two)
        ),
    }


def inputs_named(modality, name):
    return modality.renamed(name)


def pair_of(kind, weight=1.0, **look):
    """Two pictures, one for each image."""
    return style(kind, weight, PICTURES, combine="one each", **look)


def native(model, kind, prompt=None, **size):
    """The plain way, for one prompt at a push of 1: positive alone."""
    prompt = prompt or style(kind)
    patched, positive, _ = apply_prompt(model, words(1), words(9), prompt)
    one = inputs.condition(positive, None, "text", Guidance(1.0))
    return off(drawn(patched, one, **size), drawn(model, text(1.0), prompt, **size))


def chained():
    """Another pack's replacement of a block, before ours, goes on acting."""
    out = {}
    for kind, model in (("xlabs", flux()), ("sd35", sd3())):

        def quiet(args, extra):
            out = extra["original_block"](args)
            return {**out, "img": 0.9 * out["img"]}

        theirs = model.clone()
        theirs.set_model_patch_replace(quiet, "dit", "double_block", 0)
        both = drawn(theirs, text(1.0), style(kind))
        out[kind] = [
            off(both, drawn(theirs, text(1.0))), off(both, drawn(model, text(1.0), style(kind)))
        ]  # fmt: skip
    return out


def reference_latents():
    """Tokens of a reference picture are no part of the picture: a mask lies over the picture."""
    model = flux()
    told = [[t, {**o, "reference_latents": [random(6, 1, 16, 8, 8)]}] for t, o in words(1)]
    one = inputs.condition(told, None, "text", Guidance(1.0))
    out = {}
    for kind in ("xlabs", "instantx"):
        zeros, ones = torch.zeros(1, 12, 20), torch.ones(1, 12, 20)
        without, with_it = drawn(model, one), drawn(model, one, style(kind))
        out[kind] = [
            off(with_it, without), off(drawn(model, one, style(kind, mask=ones)), with_it),
            off(drawn(model, one, style(kind, mask=zeros)), without),
        ]  # fmt: skip
    return out


def wrong():
    model, unet = flux(), probe_vision.ProbeUNet().make("SD1.5", 128)[0]
    one = text(1.0)
    return {
        "flux on a unet": refusal(lambda: drawn(unet, one, style("xlabs"))),
        "sd35 on flux": refusal(lambda: drawn(model, one, style("sd35"))),
        "flux on sd35": refusal(lambda: drawn(sd3(), one, style("instantx"))),
        "too few blocks": refusal(lambda: drawn(sd3(num_blocks=3), one, style("sd35"))),
        "medium": refusal(lambda: drawn(sd3(x_block_self_attn_layers=[0]), one, style("sd35"))),
        "scaling": refusal(lambda: style("sd35", scaling="K+V")),
        "image weights": refusal(lambda: style("xlabs", pictures=PICTURES, image_weights="1, 2")),
        "pooled": refusal(
            lambda: inputs.style(
                None, adapters["instantx"], vision, PICTURES, Style(), Guidance(1.0)
            )
        ),
        "another encoder": refusal(
            lambda: inputs.style(
                None, adapters["xlabs"], encoder_files.load("dinov2"), PICTURES, Style(),
                Guidance(1.0),
            )
        ),
        "hidden states": refusal(
            lambda: inputs.style(None, adapters["sd35"], encoder, PICTURES, Style(), Guidance(1.0))
        ),
    }  # fmt: skip


def kolors():
    """FaceID tokens pass through the model's own projection of text, where a MODEL keeps it."""
    shapes = layouts.faceid_plus(16, 1024, 192, 6) | layouts.layers(random_adapters.SDXL, 128)
    save_file(layouts.random_tensors(shapes, 5), folder / "kolors.safetensors")
    adapter = files.load("kolors.safetensors")
    tokens = random(6, 1, 6, 192)
    effect = ImagePromptEffect(adapter, tokens, None, Style())
    model = probe_vision.ProbeUNet().make("SDXL", 128)[0]
    without = refusal(lambda: effect.bank(model))
    project = torch.nn.Linear(192, 128)
    model.model.diffusion_model.encoder_hid_proj = project
    read = tokens @ project.weight.T + project.bias
    bank = effect.bank(model)
    weights = adapter.patcher.model.ip_adapter
    wanted = {i: read @ weights[str(i)].to_k_ip.weight.T for i in bank.present}
    return {
        "model": adapter.layout.model, "layers": len(bank.present), "without": without,
        "off": max(off(kv.k, wanted[i]) for i, kv in bank.present.items()),
    }  # fmt: skip


def faces():
    """FaceID files add to the UNet's own weights, but not where the input never acts."""
    shapes = layouts.faceid(16, 128) | layouts.layers(random_adapters.SD15, 128)
    shapes |= layouts.lora(random_adapters.SD15, 128, 4)
    save_file(layouts.random_tensors(shapes, 5), folder / "face.safetensors")
    adapter, model = files.load("face.safetensors"), probe_vision.ProbeUNet().make("SD1.5", 128)[0]

    def face(guidance=None, identity=None, **look):
        identity = random(8, 16) if identity is None else identity
        look = Style(identity=identity, **look)
        return inputs.style(None, adapter, None, PICTURES[:1], look, guidance or Guidance(2.0))

    def run(*modalities):
        return drawn(model, text(1.0), *modalities, size=(1, 4, 8, 8))

    without = run()
    never = Guidance(0.0), Guidance(2.0, 0.5, 0.5), Guidance(1.0, weights="0")
    return {
        "acts": off(run(face()), without),
        "never": [bool(torch.equal(run(face(guidance)), without)) for guidance in never],
        "negative": refusal(lambda: face(negative=PICTURES[:1])),
        "shape": refusal(lambda: face(identity=random(1, 1, 2, 16))),
        "not finite": refusal(lambda: face(identity=random(1, 16) * float("inf"))),
    }  # fmt: skip


def settings():
    """Settings of image prompts where they mean nothing."""

    def one(**look):
        return refusal(
            lambda: inputs.style(
                None, adapters["xlabs"], vision, PICTURES, Style(**look), Guidance(1.0)
            )
        )

    wide = random(9, 2, 40, 90, 3).sigmoid()
    model, words_of = flux(), text(1.0)
    tiled = style("xlabs", pictures=wide, combine="one each", crop="tiles")
    alone = style("xlabs", pictures=wide[1:], crop="tiles")
    size = (2, 16, 8, 8)
    return {
        "identity": one(identity=random(1, 512)), "negative weight": one(image_weights="1, -1"),
        "nan mask": one(mask=torch.full((1, 8, 8), float("nan"))),
        "no mask": one(mask=torch.zeros(0, 8, 8)), "flat mask": one(mask=torch.zeros(1, 0, 8)),
        "too many away": one(combine="one each", negative=random(3, 3, 32, 32, 3).sigmoid()),
        "weight's mask": refusal(
            lambda: style("xlabs", guidance=Guidance(2.0, mask=torch.full((1, 4, 4), float("nan"))))
        ),
        "no adapter": refusal(
            lambda: inputs.style(None, None, None, PICTURES, Style(strength=0.5), Guidance(1.0))
        ),
        "tiles": off(drawn(model, words_of, tiled, size=size)[1],
                     drawn(model, words_of, alone, size=size)[1]),
    }  # fmt: skip


def pictures():
    """What is read of pictures: colours, whatever else they hold."""
    layout = adapters["xlabs"].layout
    colour = PICTURES[:1]
    grey = colour[..., :1]

    def read(image, crop="center"):
        return features(vision, image, layout, crop)

    alpha = torch.cat([colour, torch.zeros_like(grey)], -1)
    tall = random(9, 2, 90, 40, 3).sigmoid()
    return {
        "alpha": off(read(alpha), read(colour)),
        "grey": off(read(grey), read(grey.expand(-1, -1, -1, 3))),
        "batch": off(read(PICTURES)[1:], read(PICTURES[1:])),
        "tiles": list(read(tall, "tiles").shape), "pad": list(read(tall, "pad").shape),
        "none": refusal(lambda: read(PICTURES[:0])),
        "not finite": refusal(lambda: read(colour * float("nan"))),
        "two channels": refusal(lambda: read(colour[..., :2])),
    }  # fmt: skip


found = {
    "xlabs": checked("xlabs", flux, lambda scale=1.0: hooked_flux("xlabs", scale)),
    "instantx": checked("instantx", flux, lambda scale=1.0: hooked_flux("instantx", scale)),
    "sd35": checked("sd35", sd3, hooked_sd3),
    "chained": chained(),
    "reference latents": reference_latents(),
    "wrong": wrong(),
    "kolors": kolors(),
    "pictures": pictures(),
    "faces": faces(),
    "settings": settings(),
}
sys.stdout.write(json.dumps(found) + "\n")
