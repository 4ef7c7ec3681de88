"""What is compared on UNets. Each case runs a whole forward pass both ways."""

from functools import partial

import torch
import unets
from measured import measured
from unets import SD15, SDXL, Files, constant, draw

from mm_core.adapters.ip_adapter.attend import ImageTerm
from mm_core.adapters.ip_adapter.combine import concat_tokens
from mm_core.adapters.ip_adapter.keys_values import KV
from mm_core.adapters.ip_adapter.masks import on_grid
from mm_core.adapters.ip_adapter.projection import ImagePrompt, null_prompt

TOLERANCE = 2e-5  # fp32, over a whole UNet


@torch.no_grad()
def family(model, name, scale=0.8):
    """One adapter, one picture for each row."""
    with Files() as files:
        path = files.write(model, name)
        network, given, what = unets.unet(model), unets.inputs(model), unets.prompt(name)
        pipeline = unets.diffusers_adapter(network, path)
        pipeline.set_ip_adapter_scale(scale)
        given_first = what.features if what.identity is None else what.identity
        if name.startswith("faceid_plus"):
            layer = pipeline.unet.encoder_hid_proj.image_projection_layers[0]
            layer.clip_embeds, layer.shortcut = what.features[None], name.endswith("v2")
        reference = unets.run(pipeline.unet, given, [given_first[:, None]])
        adapter = unets.adapter(path, model)
        kv = adapter.keys_values(adapter.tokens(what))
        mine = unets.run(unets.ours(model, network, (kv, constant(scale))), given)
        return measured(mine, reference, unets.run(network, given))


@torch.no_grad()
def unconditional(model, name):
    """The first row sees "no picture": zeros through the projection, or encoded zero pixels."""
    with Files() as files:
        path = files.write(model, name)
        network, given = unets.unet(model), unets.inputs(model)
        pipeline = unets.diffusers_adapter(network, path)
        pipeline.image_encoder = vision()
        pixels = draw(1, 3, 32, 32)
        encoded, none = pipeline.encode_image(pixels, "cpu", 1, name == "plus")
        reference = unets.run(pipeline.unet, given, [torch.stack([none, encoded])])

        adapter = unets.adapter(path, model)
        blank = _penultimate(pipeline.image_encoder, torch.zeros_like(pixels))
        what = ImagePrompt(
            _penultimate(pipeline.image_encoder, pixels) if name == "plus"
            else pipeline.image_encoder(pixels).image_embeds
        )  # fmt: skip
        sides = [adapter.tokens(p) for p in (null_prompt(adapter.layout, what, blank), what)]
        kv = adapter.keys_values(torch.cat(sides))
        mine = unets.run(unets.ours(model, network, (kv, constant(1.0))), given)
        return measured(mine, reference, unets.run(network, given))


@torch.no_grad()
def several_pictures(model):
    """Three pictures in one softmax."""
    with Files() as files:
        path = files.write(model, "base")
        network, given, features = unets.unet(model), unets.inputs(model), draw(2, 3, unets.CLIP)
        pipeline = unets.diffusers_adapter(network, path)
        reference = unets.run(pipeline.unet, given, [features])
        adapter = unets.adapter(path, model)
        tokens = [concat_tokens(adapter.tokens(ImagePrompt(row))) for row in features]
        kv = adapter.keys_values(torch.cat(tokens))
        mine = unets.run(unets.ours(model, network, (kv, constant(1.0))), given)
        return measured(mine, reference, unets.run(network, given))


@torch.no_grad()
def several_adapters(model):
    """Two adapters of two families, each with its scale."""
    with Files() as files:
        names, scales = ("base", "plus"), (0.7, -0.4)
        paths = [files.write(model, name, seed) for seed, name in enumerate(names)]
        network, given = unets.unet(model), unets.inputs(model)
        what = [unets.prompt(name) for name in names]
        pipeline = unets.diffusers_adapter(network, *paths)
        pipeline.set_ip_adapter_scale(list(scales))
        reference = unets.run(pipeline.unet, given, [w.features[:, None] for w in what])
        terms = []
        for path, w, scale in zip(paths, what, scales, strict=True):
            adapter = unets.adapter(path, model)
            terms.append((adapter.keys_values(adapter.tokens(w)), constant(scale)))
        mine = unets.run(unets.ours(model, network, *terms), given)
        return measured(mine, reference, unets.run(network, given))


BLOCKS = {  # diffusers' form, and the same as places in the order of execution
    SD15: (
        {"down": {"block_2": [0.0, 1.0]}, "mid": 0.3, "up": {"block_1": [0.0, 0.6, 0.0]}},
        {5: 1.0, 6: 0.3, 8: 0.6},
    ),
    SDXL: (
        {"down": {"block_2": [0.0, 1.0]}, "mid": 0.3, "up": {"block_0": [0.0, 0.6, 0.0]}},
        {3: 1.0, 4: 0.3, 6: 0.6},
    ),
}


@torch.no_grad()
def block_scales(model):
    """A scale for each attention module, the middle's among them."""
    with Files() as files:
        path = files.write(model, "base")
        network, given, what = unets.unet(model), unets.inputs(model), unets.prompt("base")
        pipeline = unets.diffusers_adapter(network, path)
        theirs, places = BLOCKS[model]
        pipeline.set_ip_adapter_scale(theirs)
        reference = unets.run(pipeline.unet, given, [what.features[:, None]])
        adapter = unets.adapter(path, model)
        kv = adapter.keys_values(adapter.tokens(what))

        def term(site, kv, q):
            return [ImageTerm(kv, places.get(site.place, 0.0))]

        mine = unets.run(unets.ours(model, network, (kv, term)), given)
        return measured(mine, reference, unets.run(network, given))


@torch.no_grad()
def masks(model):
    """Two pictures, each with its place and scale; the edges soft."""
    with Files() as files:
        path = files.write(model, "base")
        network, given, features = unets.unet(model), unets.inputs(model), draw(2, 2, unets.CLIP)
        pipeline = unets.diffusers_adapter(network, path)
        scales = [0.9, 0.5]
        pipeline.set_ip_adapter_scale([scales])
        places = torch.rand(1, 2, 128, 128, generator=torch.Generator().manual_seed(3))
        places[:, 0, :, 64:] = 0
        options = {"cross_attention_kwargs": {"ip_adapter_masks": [places]}}
        reference = unets.run(pipeline.unet, given, [features], **options)
        adapter = unets.adapter(path, model)
        tokens = [adapter.tokens(ImagePrompt(features[:, i])) for i in range(2)]
        kv = [adapter.keys_values(t) for t in tokens]
        both = {i: KV(*(torch.cat(pair, 1) for pair in zip(kv[0][i], kv[1][i], strict=True)))
                for i in kv[0]}  # fmt: skip

        def term(site, kv, q):
            side = unets.side_of(q.shape[1])
            return [
                ImageTerm(
                    KV(*(x.chunk(2, 1)[i] for x in kv)), scales[i],
                    on_grid(places[:, i], side, side, "bicubic"),
                )
                for i in range(2)
            ]  # fmt: skip

        mine = unets.run(unets.ours(model, network, (both, term)), given)
        return measured(mine, reference, unets.run(network, given))


def vision():
    """A CLIP vision model as wide as the adapters expect."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(5)
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=unets.HIDDEN, intermediate_size=96, num_hidden_layers=3,
            num_attention_heads=2, image_size=32, patch_size=8, projection_dim=unets.CLIP,
        )
    ).eval()  # fmt: skip


def _penultimate(encoder, pixels):
    return encoder(pixels, output_hidden_states=True).hidden_states[-2]


def cases():
    """Name -> a function that measures it."""
    out = {}
    for said, model in (("SD1.5", SD15), ("SDXL", SDXL)):
        for scale in (0.0, 0.35, 1.0):
            out[f"{said}: base, scale {scale}"] = partial(family, model, "base", scale)
        for name in unets.PROJECTIONS:
            if name != "base":
                out[f"{said}: {name}"] = partial(family, model, name)
        out[f"{said}: base, one row without a picture"] = partial(unconditional, model, "base")
        out[f"{said}: plus, one row without a picture"] = partial(unconditional, model, "plus")
        out[f"{said}: three pictures in one adapter"] = partial(several_pictures, model)
        out[f"{said}: two adapters"] = partial(several_adapters, model)
        out[f"{said}: a scale for each block"] = partial(block_scales, model)
        out[f"{said}: two pictures with masks"] = partial(masks, model)
    return out
