"""Run by the host's Python from the host's folder: every kind of model that Load CLIP Vision opens,
against each way of reading it.

Prints JSON. Weights are random, in the layout in which transformers publishes them; what should be
read is what transformers' own class gives of the same file.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import inside  # noqa: F401, I001  first: it makes the rest importable
import comfy.clip_vision
import folder_paths
import tiny_encoders
import torch
import transformers
from safetensors.torch import load_file

from mmc_pack.mm_core.adapters.ip_adapter.layout import Features
from mmc_pack.mm_core.errors import MMError
from mmc_pack.nodes.host.encoders import files
from mmc_pack.nodes.host.encoders.audio import encode_audio
from mmc_pack.nodes.host.encoders.image import READ, encode_image
from mmc_pack.nodes.host.encoders.video import encode_video
from mmc_pack.nodes.host.ip_adapter import pictures
from mmc_pack.nodes.host.prior.vectors import embedding_of

torch.set_grad_enabled(False)  # as the host runs every node
HALF, IMAGENET = ([0.5] * 3, [0.5] * 3), ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CLIP_LIKE = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2,
    "num_channels": 3, "image_size": 28, "patch_size": 14,
}  # fmt: skip
DINO = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "num_channels": 3}
DINO2 = {**DINO, "image_size": 518, "patch_size": 14, "layer_norm_eps": 1e-6}
DINO3 = {**DINO, "intermediate_size": 64, "image_size": 64, "patch_size": 16,
         "num_register_tokens": 4, "layer_norm_eps": 1e-5, "rope_theta": 100.0}  # fmt: skip


def kinds():
    """By name: the host's config, transformers' class and its config, and the pixels a side."""
    clip, tanh = {**CLIP_LIKE, "hidden_act": "quick_gelu"}, {"hidden_act": "gelu_pytorch_tanh"}
    projected = {**clip, "projection_dim": 24}
    siglip = {**CLIP_LIKE, **tanh}
    naflex = {**CLIP_LIKE, **tanh, "num_patches": 16}
    t = transformers
    made = {
        "CLIP": (
            {**projected, "model_type": "clip_vision_model"},
            t.CLIPVisionModelWithProjection, t.CLIPVisionConfig(**projected), 28,
        ),
        "LLaVA's CLIP": (
            {**projected, "model_type": "clip_vision_model", "projector_type": "llava3"},
            t.CLIPVisionModelWithProjection, t.CLIPVisionConfig(**projected), 28,
        ),
        "SigLIP": (
            {**siglip, "model_type": "siglip_vision_model"},
            t.SiglipVisionModel, t.SiglipVisionConfig(**siglip), 28,
        ),
        "NaFlex SigLIP 2": (
            {**naflex, "model_type": "siglip2_vision_model", "image_size": -1},
            t.Siglip2VisionModel, t.Siglip2VisionConfig(**naflex), 56,
        ),
        "DINOv2": (
            {**DINO2, "model_type": "dinov2", "use_swiglu_ffn": False},
            t.Dinov2Model, t.Dinov2Config(**DINO2), 518,
        ),
        "DINOv2 giant": (
            {**DINO2, "model_type": "dinov2", "use_swiglu_ffn": True},
            t.Dinov2Model, t.Dinov2Config(**DINO2, use_swiglu_ffn=True), 518,
        ),
    }  # fmt: skip
    if "dinov3" in comfy.clip_vision.IMAGE_ENCODERS:
        for name, gated in (("DINOv3", {}), ("DINOv3 huge", {"use_gated_mlp": True})):
            act = {"hidden_act": "silu"} if gated else {}
            made[name] = (
                {**DINO3, **gated, "model_type": "dinov3"},
                t.DINOv3ViTModel, t.DINOv3ViTConfig(**DINO3, **gated, **act), 64,
            )  # fmt: skip
    return made


def models(host_config, cls, config, norm):
    """The host's model and transformers', of one file of random weights."""
    config._attn_implementation = "eager"
    torch.manual_seed(1)
    theirs = cls(config).eval()
    for weight in theirs.parameters():
        noisy = weight + 0.1 * torch.randn(weight.shape)
        weight.copy_(noisy.half())  # in which the host keeps them
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        state = load_file(f"{folder}/model.safetensors")
        path = Path(folder) / "host.json"  # older hosts read a file only
        mean, std = norm
        path.write_text(json.dumps({**host_config, "image_mean": mean, "image_std": std}))
        vision = comfy.clip_vision.ClipVisionModel(str(path))
    if "clip" in host_config["model_type"] or "siglip" in host_config["model_type"]:
        bare = not any(k.startswith("vision_model.") for k in state)
        state = {f"vision_model.{k}": v for k, v in state.items()} if bare else state
    else:  # the files that the host opens have no prefix
        state = {k.removeprefix("model."): v for k, v in state.items()}
    missing, _ = vision.load_sd(state)
    assert not [k for k in missing if "multi_modal_projector" not in k], missing
    return vision, theirs


def expected(name, theirs, image, norm):
    """By transformers: penultimate tokens, last tokens, vector."""
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in norm)
    pixels = ((image.movedim(-1, 1) * 255).round() / 255 - mean) / std
    given = {"pixel_values": pixels}
    if name == "NaFlex SigLIP 2":
        b, _, h, w = pixels.shape
        parts = pixels.view(b, 3, h // 14, 14, w // 14, 14).permute(0, 2, 4, 3, 5, 1)
        given = {
            "pixel_values": parts.reshape(b, -1, 14 * 14 * 3),
            "pixel_attention_mask": torch.ones(b, (h // 14) * (w // 14), dtype=torch.long),
            "spatial_shapes": torch.tensor([[h // 14, w // 14]] * b),
        }
    made = theirs(**given, output_hidden_states=True)
    vector = made.image_embeds if "CLIP" in name else made.pooler_output
    return made.hidden_states[-2], made.last_hidden_state, vector


def said(run):
    try:
        run()
    except MMError as e:
        return str(e)
    return None


def off(found, wanted):
    return float((found - wanted).abs().max() / wanted.abs().max())


class Layout:
    """What an adapter says of itself, of what reading needs."""

    source, family, null = "adapter.safetensors", "base", "zero_features"

    def __init__(self, kind, width, encoder):
        self.needs = (Features(kind, width, encoder, None),)


def read(name):
    host_config, cls, config, side = kinds()[name]
    norm = HALF if "SigLIP" in name else IMAGENET
    vision, theirs = models(host_config, cls, config, norm)
    image = torch.rand(3, side, side, 3, generator=torch.Generator().manual_seed(2))
    wanted = dict(zip(READ, expected(name, theirs, image, norm), strict=True))
    out = {}
    for how in READ:
        try:
            made = encode_image(image, vision, read=how)
        except MMError as e:
            out[how] = str(e)
            continue
        tokens = wanted[how] if wanted[how].ndim == 3 else wanted[how][:, None]
        assert made.said.tokens.shape == tokens.shape, (made.said.tokens.shape, tokens.shape)
        frames = encode_video(image, vision, read=how)
        out[how] = off(made.said.tokens, tokens)
        out[f"{how} of frames"] = off(frames.said.tokens, tokens.flatten(0, 1)[None])
        if made.vector is not None:
            out[f"{how}, its vector"] = off(made.vector, wanted["one vector"])
    grey = image.mean(-1, keepdim=True)
    out["grey"] = off(
        encode_image(grey, vision, read="last tokens").said.tokens,
        encode_image(grey.expand(-1, -1, -1, 3), vision, read="last tokens").said.tokens,
    )
    for kind, encoder in (("image_embeds", "CLIP-H"), ("penultimate", "CLIP-H"),
                          ("penultimate", "SigLIP so400m at 384 px")):  # fmt: skip
        layout = Layout(kind, 32, encoder)
        label = f"{kind} for {encoder.split()[0].removesuffix('-H')}"
        out[label] = said(lambda layout=layout: pictures.features(vision, image, layout))
    return out


def spaces():
    """What 1024 numbers are taken for, by how wide the tokens beside them are."""
    out = {}
    for hidden in (None, 1280, 1024):
        made = comfy.clip_vision.Output()
        made["image_embeds"] = torch.ones(1, 1024)
        if hidden is not None:
            made["last_hidden_state"] = torch.ones(1, 5, hidden)
        out[str(hidden)] = embedding_of(made).space.name
    return out


def encoders():
    """Adapters of CLIP-H, CLIP-L and SigLIP with folders of ours, one of each family."""
    out = {}
    with tempfile.TemporaryDirectory() as base:
        folder_paths.add_model_folder_path("mmc_encoders", base)
        for name in ("clip", "siglip", "dinov2"):
            (Path(base) / name).mkdir()
            getattr(tiny_encoders, name)(Path(base) / name)
            encoder = files.load(name, "image")
            for kind, wanted in (("image_embeds", "CLIP-H"), ("pooled", "SigLIP so400m")):
                layout = Layout(kind, 32, wanted)
                out[f"{name} for {wanted}"] = said(
                    lambda e=encoder, x=layout: pictures.features(e, torch.rand(1, 64, 64, 3), x)
                )
    return out


def bare():
    """Outputs of other packs with less in them than the host's."""
    empty, flat = comfy.clip_vision.Output(), comfy.clip_vision.Output()
    flat["last_hidden_state"] = torch.ones(5, 32)
    return [said(lambda o=o, how=how: encode_image(clip_vision_output=o, read=how))
            for o in (empty, flat) for how in READ]  # fmt: skip


def unheard():
    """Outputs of audio encoders without the tokens that the host's have."""
    odd = {}, {"encoded_audio": torch.ones(4, 8)}, torch.ones(2)
    return [said(lambda o=o: encode_audio(audio_encoder_output=o)) for o in odd]


found = {name: read(name) for name in kinds()}
told = {"models": found, "spaces": spaces(), "bare": bare(), "encoders": encoders()}
told["unheard"] = unheard()
sys.stdout.write(json.dumps(told) + "\n")
