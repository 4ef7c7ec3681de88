"""Every family of encoders against transformers called directly: equal, bit for bit."""

import importlib.metadata
import json

import pytest
import tiny_encoders as tiny
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from tiny_encoders import T

from mm_core.encoders.encoder import Frames, Sound
from mm_core.encoders.families import FAMILIES, load_encoder
from mm_core.errors import InputError

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore"),  # of other packages, about themselves
]
LOCAL = {"local_files_only": True, "trust_remote_code": False}


def old():
    """Whether this is a release that knows no DINOv3."""
    return int(T.__version__.split(".")[0]) < 5


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def pictures(rng):
    """Not square, and not of the size that any network reads."""
    return torch.rand(2, 3, 50, 70, generator=rng)


def saved(save, folder, *options):
    """The whole model, loaded again: where weights lie in memory tells in the last bit."""
    kind = type(save(folder, *options))
    return kind.from_pretrained(folder, use_safetensors=True, **LOCAL).eval()


def texts_through(folder, network, **options):
    """What network gives for each text alone."""
    tokenizer = T.AutoTokenizer.from_pretrained(folder, **LOCAL)
    for text in TEXTS:
        given = tokenizer(text, truncation=True, max_length=16, return_tensors="pt", **options)
        given.pop("token_type_ids", None)
        if options:
            given.pop("attention_mask", None)
        with torch.no_grad():
            yield network(**given)


def pictures_through(folder, network, pictures):
    processor = T.AutoImageProcessor.from_pretrained(folder, **LOCAL)
    for picture in pictures:
        values = (picture * 255).round().byte().permute(1, 2, 0).numpy()
        with torch.no_grad():
            yield network(**processor(images=Image.fromarray(values), return_tensors="pt"))


def features(found):
    """Releases before 5 give the vector itself."""
    return found if isinstance(found, torch.Tensor) else found.pooler_output


TEXTS = ["a b c", "the quick brown fox jumps over it"]  # the second is cut at 16 tokens
TEXT = {
    "CLIP text": (
        tiny.clip_text,
        lambda m: m,
        lambda out: (out.last_hidden_state, out.text_embeds),
    ),
    "CLIP text, without projection": (
        lambda folder: tiny.clip_text(folder, "CLIPTextModel"),
        lambda m: m,
        lambda out: (out.last_hidden_state, out.pooler_output),
    ),
    "T5": (
        lambda folder: tiny.t5(folder, "T5ForConditionalGeneration"),
        lambda m: m.encoder,
        lambda out: (out.last_hidden_state, None),
    ),
    "UMT5": (
        lambda folder: tiny.t5(folder, "UMT5EncoderModel", "UMT5Config"),
        lambda m: m,
        lambda out: (out.last_hidden_state, None),
    ),
    "BERT": (
        lambda folder: tiny.bert(folder, "BertForMaskedLM"),
        lambda m: m.bert,
        lambda out: (out.last_hidden_state, out.last_hidden_state.mean(1)),
    ),
}


@pytest.mark.parametrize("name", TEXT)
def test_text_is_encoded_as_transformers_does(tmp_path, name):
    save, part, read = TEXT[name]
    model = saved(save, tmp_path)
    # T5 names no limit, so it reads the second text whole.
    encoder = load_encoder(tmp_path)
    encoder.longest = 16
    found = encoder(TEXTS)
    assert encoder.family == name
    for i, out in enumerate(texts_through(tmp_path, part(model))):
        tokens, vector = read(out)
        same_sample(found, i, tokens, vector)


@pytest.mark.parametrize("make", ["siglip", "siglip2"])
def test_text_of_siglip_is_filled_up_as_it_was_trained(tmp_path, make):
    model = saved(getattr(tiny, make), tmp_path)
    found = load_encoder(tmp_path, kind="text")(TEXTS)
    tokenizer = T.AutoTokenizer.from_pretrained(tmp_path, **LOCAL)
    outs = texts_through(tmp_path, model.text_model, padding="max_length")
    for i, out in enumerate(outs):
        count = min(len(tokenizer(TEXTS[i])["input_ids"]), 16)
        # The tokenizer of SigLIP 2 fills up before the text in some releases, after it in others.
        own = slice(16 - count, 16) if tokenizer.padding_side == "left" else slice(count)
        same_sample(found, i, out.last_hidden_state[:, own], out.pooler_output)
        assert found.embedding.mask[i].sum() == count


@pytest.mark.parametrize("make", ["clip", "clap"])
def test_the_text_half_of_a_whole_model_gives_its_features(tmp_path, make):
    model = saved(getattr(tiny, make), tmp_path)
    found = load_encoder(tmp_path, kind="text")(TEXTS)
    for i, out in enumerate(texts_through(tmp_path, model.get_text_features)):
        vector = found.vector[i : i + 1]
        if make == "clap":  # whose features are normalised, unlike its embeddings
            vector = F.normalize(vector, dim=-1)
        assert torch.equal(vector, features(out))
    for i, out in enumerate(texts_through(tmp_path, model.text_model)):
        same_sample(found, i, out.last_hidden_state, None)


PICTURES = {
    "CLIP vision": (
        tiny.clip_vision,
        lambda out: (out.last_hidden_state, out.image_embeds),
    ),
    "CLIP vision, without projection": (
        lambda folder: tiny.clip_vision(folder, "CLIPVisionModel"),
        lambda out: (out.last_hidden_state, out.pooler_output),
    ),
    "DINOv2": (tiny.dinov2, lambda out: (out.last_hidden_state, out.pooler_output)),
    "DINOv2 with registers": (
        lambda folder: tiny.dinov2(folder, registers=True),
        lambda out: (out.last_hidden_state, out.pooler_output),
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_encoded_as_transformers_does(tmp_path, pictures, name):
    save, read = PICTURES[name]
    model = saved(save, tmp_path)
    encoder = load_encoder(tmp_path)
    found = encoder(pictures)
    assert encoder.family == name
    for i, out in enumerate(pictures_through(tmp_path, model, pictures)):
        same_sample(found, i, *read(out))


@pytest.mark.parametrize("convnext", [False, True])
def test_dinov3_is_encoded_as_transformers_does_or_refused(tmp_path, pictures, convnext):
    if old():
        kind = "dinov3_convnext" if convnext else "dinov3_vit"
        (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
        save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
        words = r"needs transformers 4\.56 or later, found 4\."
    elif not installed("torchvision"):
        tiny.dinov3(tmp_path, convnext)
        words = "needs torchvision, which is not installed; run pip install --upgrade torchvision"
    else:
        model = saved(tiny.dinov3, tmp_path, convnext)
        found = load_encoder(tmp_path)(pictures)
        for i, out in enumerate(pictures_through(tmp_path, model, pictures)):
            same_sample(found, i, out.last_hidden_state, out.pooler_output)
        return
    with pytest.raises(InputError, match=words):
        load_encoder(tmp_path)


def installed(name):
    try:
        return bool(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return False


@pytest.mark.parametrize("make", ["clip", "siglip"])
def test_the_picture_half_of_a_whole_model_gives_its_features(tmp_path, pictures, make):
    model = saved(getattr(tiny, make), tmp_path)
    found = load_encoder(tmp_path, kind="image")(pictures)
    for i, out in enumerate(pictures_through(tmp_path, model.get_image_features, pictures)):
        assert torch.equal(found.vector[i : i + 1], features(out))
    for i, out in enumerate(pictures_through(tmp_path, model.vision_model, pictures)):
        same_sample(found, i, out.last_hidden_state, None)


def test_naflex_keeps_the_shape_of_a_picture_and_leaves_its_padding_out(tmp_path, pictures):
    model = saved(tiny.siglip2, tmp_path)
    found = load_encoder(tmp_path, kind="image")(pictures)
    network = model.vision_model
    if old():  # names it otherwise inside

        def network(pixel_attention_mask, **given):
            return model.vision_model(attention_mask=pixel_attention_mask, **given)

    for i, out in enumerate(pictures_through(tmp_path, network, pictures)):
        same_sample(found, i, out.last_hidden_state[:, :15], out.pooler_output)  # 3 x 5 patches
    for i, out in enumerate(pictures_through(tmp_path, model.get_image_features, pictures)):
        assert torch.equal(found.vector[i : i + 1], features(out))


@pytest.mark.parametrize("fused", [True, False])
def test_a_sound_is_heard_by_clap_as_transformers_does(tmp_path, rng, fused):
    model = saved(tiny.clap, tmp_path, fused)
    waves = torch.rand(2, 2, 3 * 48_000, generator=rng) - 0.5
    found = load_encoder(tmp_path, kind="audio")(Sound(waves, 48_000))
    for i, given in enumerate(sounds(tmp_path, waves.mean(1), 48_000)):
        with torch.no_grad():
            out = model.audio_model(**given)
            vector = model.audio_projection(out.pooler_output)
            normed = features(model.get_audio_features(**given))
        tokens = torch.stack(
            [out.last_hidden_state[0, :, f, t] for f in range(2) for t in range(32)]
        )
        same_sample(found, i, tokens[None], vector)
        assert torch.equal(F.normalize(vector, dim=-1), normed)


def test_a_long_sound_is_heard_by_clap_in_windows(tmp_path, rng):
    model = saved(tiny.clap, tmp_path)
    waves = torch.rand(1, 1, 15 * 48_000, generator=rng) - 0.5
    found = load_encoder(tmp_path, kind="audio")(Sound(waves, 48_000))
    vectors = []
    for part in waves[0, 0].split(480_000):
        given = next(sounds(tmp_path, part[None], 48_000))
        with torch.no_grad():
            vectors.append(model.audio_projection(model.audio_model(**given).pooler_output))
    torch.testing.assert_close(found.vector, (2 * vectors[0] + vectors[1]) / 3)
    assert found.embedding.tokens.shape[1] == 2 * 64


@pytest.mark.parametrize("kind", ["Wav2Vec2Model", "Wav2Vec2ForCTC"])
def test_speech_is_heard_by_wav2vec2_as_transformers_does(tmp_path, rng, kind):
    model = saved(tiny.wav2vec2, tmp_path, kind)
    network = getattr(model, "wav2vec2", model)
    waves = torch.rand(2, 1, 16_000, generator=rng) - 0.5
    found = load_encoder(tmp_path)(Sound(waves, 16_000))
    for i, given in enumerate(sounds(tmp_path, waves[:, 0], 16_000)):
        with torch.no_grad():
            tokens = network(**given).last_hidden_state
        assert tokens.shape[1] == 49
        same_sample(found, i, tokens, tokens.mean(1))


@pytest.mark.parametrize("kind", ["WhisperModel", "WhisperForConditionalGeneration"])
def test_speech_is_heard_by_whisper_as_transformers_does(tmp_path, rng, kind):
    model = saved(tiny.whisper, tmp_path, kind)
    waves = torch.rand(1, 1, 24_000, generator=rng) - 0.5  # a window, and half a window
    encoder = load_encoder(tmp_path)
    found = encoder(Sound(waves, 16_000))
    tokens = []
    for part in waves[0, 0].split(16_000):
        given = next(sounds(tmp_path, part[None], 16_000))
        with torch.no_grad():
            tokens.append(model.get_encoder()(**given).last_hidden_state)
    same_sample(found, 0, torch.cat([tokens[0], tokens[1][:, :25]], 1), None)
    assert not any("decoder" in name for name, _ in encoder.module.named_parameters())


def sounds(folder, waves, rate):
    extractor = T.AutoFeatureExtractor.from_pretrained(folder, **LOCAL)
    for wave in waves:
        yield extractor(wave.numpy(), sampling_rate=rate, return_tensors="pt")


@pytest.mark.parametrize("kind", ["VideoMAEModel", "VideoMAEForPreTraining"])
def test_a_video_is_seen_as_transformers_does(tmp_path, rng, kind):
    model = saved(tiny.videomae, tmp_path, kind)
    network = getattr(model, "videomae", model)
    frames = torch.rand(7, 3, 40, 60, generator=rng)
    found = load_encoder(tmp_path)(Frames(frames, 24.0))
    bytes_ = (frames[[0, 2, 4, 6]] * 255).round().byte().permute(0, 2, 3, 1).numpy()
    processor = T.AutoImageProcessor.from_pretrained(tmp_path, **LOCAL)
    given = processor([Image.fromarray(frame) for frame in bytes_], return_tensors="pt")
    with torch.no_grad():
        tokens = network(**given).last_hidden_state
    same_sample(found, 0, tokens, tokens.mean(1))


def same_sample(found, i, tokens, vector):
    """Sample i of an encoding is this, bit for bit, and zeros where the batch is longer."""
    embedding = found.embedding
    real = int(embedding.mask[i].sum())
    assert torch.equal(embedding.tokens[i : i + 1, :real], tokens)
    assert not embedding.tokens[i, real:].any()
    if vector is not None:
        assert torch.equal(found.vector[i : i + 1], vector)


def test_every_family_of_embeddings_is_here():
    named = {*TEXT, *PICTURES, "SigLIP text", "SigLIP 2 text, NaFlex", "CLAP text", "SigLIP",
             "SigLIP 2, NaFlex", "DINOv3 ViT", "DINOv3 ConvNext", "CLAP", "Wav2Vec2",
             "Whisper encoder", "VideoMAE"}  # fmt: skip
    kinds = ("text", "image", "audio", "video")
    assert {family.name for family in FAMILIES if family.kind in kinds} == named
