"""Folders of tiny models with random weights, saved as their authors save them."""

import importlib
import json


class _Library:
    """transformers, imported when it is first asked for: collecting tests needs none of it."""

    def __getattr__(self, name):
        return getattr(importlib.import_module("transformers"), name)


T = _Library()
BODY = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2,
}  # fmt: skip
WORDS = ["<pad>", "<s>", "</s>", "<unk>", *"abcdefghijklmnopqrstuvwxyz"]
VOCABULARY = len(WORDS)
MARKS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
TEXT = BODY | MARKS | {"vocab_size": VOCABULARY, "max_position_embeddings": 16}
VISION = BODY | {"image_size": 32, "patch_size": 8}


def save(folder, model, processor=None):
    """Writes both, and gives the model back."""
    model.eval().save_pretrained(folder)
    if processor is not None:
        processor.save_pretrained(folder)
    return model


def save_tokenizer(folder, longest=16):
    """One letter is one token; <s> before and </s> after."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Split(Regex("."), "isolated")]
    )
    words.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    words.save(str(folder / "tokenizer.json"))
    told = {
        "tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "bos_token": "<s>",
        "eos_token": "</s>", "unk_token": "<unk>", "model_max_length": longest,
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(told))


def clip(folder, projection=16):
    """projection: of both halves, told beside them only, as some published files do."""
    config = T.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=projection)
    save_tokenizer(folder)
    model = save(folder, T.CLIPModel(config), clip_pictures())
    path = folder / "config.json"
    told = json.loads(path.read_text())
    for half in ("text_config", "vision_config"):
        told[half]["projection_dim"] = 512
    path.write_text(json.dumps(told))
    return model


def clip_pictures():
    return T.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def clip_text(folder, kind="CLIPTextModelWithProjection"):
    save_tokenizer(folder)
    return save(folder, getattr(T, kind)(T.CLIPTextConfig(**TEXT, projection_dim=16)))


def clip_vision(folder, kind="CLIPVisionModelWithProjection"):
    config = T.CLIPVisionConfig(**VISION, projection_dim=16)
    return save(folder, getattr(T, kind)(config), clip_pictures())


def siglip(folder):
    config = T.SiglipConfig(text_config=TEXT, vision_config=VISION)
    save_tokenizer(folder)
    processor = T.SiglipImageProcessor(size={"height": 32, "width": 32})
    return save(folder, T.SiglipModel(config), processor)


def siglip2(folder):
    vision = BODY | {"num_patches": 16, "patch_size": 8}
    config = T.Siglip2Config(text_config=TEXT, vision_config=vision)
    save_tokenizer(folder)
    processor = T.Siglip2ImageProcessor(patch_size=8, max_num_patches=16)
    return save(folder, T.Siglip2Model(config), processor)


def t5(folder, kind="T5EncoderModel", config="T5Config"):
    save_tokenizer(folder, int(1e30))
    made = getattr(T, config)(
        vocab_size=VOCABULARY, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2,
        decoder_start_token_id=0, pad_token_id=0, eos_token_id=2,
    )  # fmt: skip
    return save(folder, getattr(T, kind)(made))


def bert(folder, kind="BertModel"):
    save_tokenizer(folder)
    told = {k: v for k, v in TEXT.items() if k not in ("bos_token_id", "eos_token_id")}
    return save(folder, getattr(T, kind)(T.BertConfig(**told)))


def dinov2(folder, registers=False):
    kind = "Dinov2WithRegisters" if registers else "Dinov2"
    config = getattr(T, f"{kind}Config")(
        hidden_size=32, num_hidden_layers=3, num_attention_heads=2, image_size=28, patch_size=14
    )
    processor = T.BitImageProcessor(
        size={"shortest_edge": 42}, crop_size={"height": 42, "width": 42}
    )
    return save(folder, getattr(T, f"{kind}Model")(config), processor)


def dinov3(folder, convnext=False):
    if convnext:
        config = T.DINOv3ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1])
        model = T.DINOv3ConvNextModel(config)
    else:
        config = T.DINOv3ViTConfig(**BODY, image_size=32, patch_size=16, num_register_tokens=4)
        model = T.DINOv3ViTModel(config)
    told = {
        "image_processor_type": "DINOv3ViTImageProcessorFast", "size": {"height": 64, "width": 64},
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
        "do_resize": True, "do_rescale": True, "do_normalize": True, "resample": 2,
    }  # fmt: skip
    save(folder, model)
    (folder / "preprocessor_config.json").write_text(json.dumps(told))
    return model


def clap(folder, fused=True):
    sound = {
        "patch_embeds_hidden_size": 16, "hidden_size": 128, "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 2, 2, 2], "num_hidden_layers": 4, "window_size": 8,
        "spec_size": 256, "num_mel_bins": 64, "num_classes": 5, "enable_fusion": fused,
        "aff_block_r": 1, "patch_stride": [4, 4], "patch_size": 4,
    }  # fmt: skip
    text = TEXT | {"max_position_embeddings": 17}
    config = T.ClapConfig(text_config=text, audio_config=sound, projection_dim=16)
    save_tokenizer(folder, int(1e30))
    extractor = T.ClapFeatureExtractor(truncation="fusion" if fused else "rand_trunc")
    return save(folder, T.ClapModel(config), extractor)


def wav2vec2(folder, kind="Wav2Vec2Model"):
    config = T.Wav2Vec2Config(
        **BODY, conv_dim=(16,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
        vocab_size=32,
    )  # fmt: skip
    return save(folder, getattr(T, kind)(config), T.Wav2Vec2FeatureExtractor())


def whisper(folder, kind="WhisperModel", seconds=1):
    """Windows of one second in place of thirty."""
    config = T.WhisperConfig(
        vocab_size=99, num_mel_bins=80, d_model=32, encoder_layers=2, encoder_attention_heads=2,
        decoder_layers=1, decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64,
        max_source_positions=50 * seconds, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        decoder_start_token_id=1,
    )  # fmt: skip
    return save(folder, getattr(T, kind)(config), T.WhisperFeatureExtractor(chunk_length=seconds))


def videomae(folder, kind="VideoMAEModel"):
    config = T.VideoMAEConfig(
        **BODY, image_size=32, patch_size=16, num_frames=4, tubelet_size=2, decoder_hidden_size=16,
        decoder_num_hidden_layers=1, decoder_num_attention_heads=2, decoder_intermediate_size=16,
    )  # fmt: skip
    processor = T.VideoMAEImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    return save(folder, getattr(T, kind)(config), processor)
