"""Writes tiny encoders with random weights, as their authors save them, and folders that are none.

Run by ComfyUI's Python: `python random_encoders.py FOLDER`.
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers as t
from tokenizers import Tokenizer, models, pre_tokenizers

LAST = "empty"  # written last: all is there
NAMES = ["wall", "sky", "person", "tree"]
WORDS = ["<start>", "<end>", "<unknown>", "a", "red", "circle", "blue", "star"]
SMALL = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2,
}  # fmt: skip


def write_all(root: Path) -> None:
    """Writes what is not there yet."""
    if (root / LAST).is_dir():
        return
    for name, (model, *prepare) in made().items():
        folder = root / name
        model.eval().save_pretrained(folder)
        for part in prepare:
            part.save_pretrained(folder)
    broken(root)


def made():
    """{folder: (model, what prepares its inputs)}; weights of a fixed seed each."""
    out = {}
    for name, build in BUILD.items():
        torch.manual_seed(len(out))
        out[name] = build()
    return out


def clip():
    text = {**SMALL, "vocab_size": 99, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1,
            "max_position_embeddings": 77}  # fmt: skip
    vision = {**SMALL, "image_size": 32, "patch_size": 8}
    config = t.CLIPConfig(text_config=text, vision_config=vision, projection_dim=128)
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    return t.CLIPModel(config), pil("CLIP")(**size), tokenizer()


def depth(**more):
    backbone = dinov2_config(out_features=["stage1", "stage2", "stage3", "stage4"])
    config = t.DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=32, patch_size=14,
        neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=16, head_hidden_size=8,
        reassemble_factors=[4, 2, 1, 0.5], **more,
    )  # fmt: skip
    prepare = pil("DPT")(
        size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14,
        image_mean=[0.5] * 3, image_std=[0.5] * 3,
    )  # fmt: skip
    return spread(t.DepthAnythingForDepthEstimation(config)), prepare


def dinov2_config(**more):
    return t.Dinov2Config(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, mlp_ratio=2, image_size=28,
        patch_size=14, reshape_hidden_states=False, apply_layernorm=True, **more,
    )  # fmt: skip


def dinov2():
    size = {"size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28}}
    return t.Dinov2Model(dinov2_config()), pil("Bit")(**size)


def pose():
    backbone = t.VitPoseBackboneConfig(
        image_size=[64, 48], patch_size=[16, 16], hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, out_features=["stage2"],
    )  # fmt: skip
    names = {i: str(i) for i in range(17)}
    config = t.VitPoseConfig(
        backbone_config=backbone, use_simple_decoder=True, scale_factor=4, id2label=names,
        label2id={v: k for k, v in names.items()},
    )  # fmt: skip
    model = t.VitPoseForPoseEstimation(config)
    with torch.no_grad():
        model.head.conv.weight.mul_(300)  # so that joints are sure enough to be drawn
        model.head.conv.bias.fill_(1.0)
    return model, pil("VitPose")(size={"height": 64, "width": 48})


def segmentation():
    names = dict(enumerate(NAMES))
    config = t.SegformerConfig(
        hidden_sizes=[8, 16, 24, 32], depths=[1] * 4, num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16, id2label=names, label2id={v: k for k, v in names.items()},
    )  # fmt: skip
    return spread(t.SegformerForSemanticSegmentation(config)), pil("Segformer")(
        size={"height": 64, "width": 64}
    )


def clap():
    text = {**SMALL, "vocab_size": 99, "projection_dim": 128, "max_position_embeddings": 40}
    audio = {
        "spec_size": 256, "num_mel_bins": 64, "window_size": 8, "patch_embeds_hidden_size": 16,
        "hidden_size": 128, "depths": [1, 1, 1, 1], "num_attention_heads": [2, 2, 2, 2],
        "projection_dim": 128, "enable_fusion": False,
    }  # fmt: skip
    config = t.ClapConfig(text_config=text, audio_config=audio, projection_dim=128)
    return t.ClapModel(config), t.ClapFeatureExtractor(truncation="rand_trunc"), tokenizer()


def wav2vec2():
    config = t.Wav2Vec2Config(
        hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        conv_dim=[16] * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    return t.Wav2Vec2Model(config), t.Wav2Vec2FeatureExtractor(do_normalize=True)


def video():
    config = t.VideoMAEConfig(
        image_size=32, patch_size=16, num_frames=4, tubelet_size=2, hidden_size=128,
        num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
    )  # fmt: skip
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    return t.VideoMAEModel(config), pil("VideoMAE")(**size)


def sam():
    vision = {
        "hidden_size": 32, "output_channels": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": 64, "patch_size": 16, "window_size": 2, "global_attn_indexes": [1],
        "num_pos_feats": 8, "mlp_dim": 64,
    }  # fmt: skip
    prompt = {
        "hidden_size": 16, "image_size": 64, "patch_size": 16, "mask_input_channels": 4,
        "num_point_embeddings": 4,
    }  # fmt: skip
    decoder = {
        "hidden_size": 16, "mlp_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "iou_head_hidden_dim": 16, "num_multimask_outputs": 3, "iou_head_depth": 2,
    }  # fmt: skip
    config = t.SamConfig(
        vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder
    )
    prepare = pil("Sam")(
        size={"longest_edge": 64}, pad_size={"height": 64, "width": 64},
        mask_size={"longest_edge": 16}, mask_pad_size={"height": 16, "width": 16},
    )  # fmt: skip
    return t.SamModel(config), prepare


BUILD = {
    "clip": clip,
    "maker/depth": depth,
    "metric": lambda: depth(depth_estimation_type="metric", max_depth=20),
    "dinov2": dinov2,
    "pose": pose,
    "segmentation": segmentation,
    "clap": clap,
    "wav2vec2": wav2vec2,
    "video": video,
    "sam": sam,
}


def pil(name):
    """An image processor that needs no torchvision."""
    kind = getattr(t, f"{name}ImageProcessorPil", None) or getattr(t, f"{name}ImageProcessor")
    return kind


def tokenizer():
    model = models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<unknown>")
    words = Tokenizer(model)
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return t.PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<start>", eos_token="<end>", pad_token="<end>",
        unk_token="<unknown>", model_max_length=77,
    )  # fmt: skip


def spread(model):
    """Weights large enough that places of a picture differ."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1 and "embed" not in name:
                weight.copy_(torch.randn_like(weight) * weight[0].numel() ** -0.5)
    return model


def broken(root: Path) -> None:
    """An empty folder, pickled weights, and a model that brings its own code."""
    pickled, custom = root / "pickled", root / "custom"
    for folder in (pickled, custom):
        folder.mkdir(exist_ok=True)
    config = json.loads((root / "dinov2" / "config.json").read_text())
    (pickled / "config.json").write_text(json.dumps(config))
    (pickled / "pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")
    own = {"model_type": "mine", "auto_map": {"AutoModel": "mine.Mine"}}
    (custom / "config.json").write_text(json.dumps(own))
    (custom / "mine.py").write_text("open('ran', 'w').write('it ran')\n")
    weights = (root / "dinov2" / "model.safetensors").read_bytes()
    (custom / "model.safetensors").write_bytes(weights)
    (root / LAST).mkdir(exist_ok=True)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
