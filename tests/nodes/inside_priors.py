"""Run by the host's Python from the host's folder: text towers of tiny CLIPs, what is handed over
as CLIP_VISION_OUTPUT, and what the host's models make of it.

Prints JSON.
"""

import json
import logging
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import inside  # noqa: I001  first: it makes the rest importable
import comfy.clip_vision
import comfy.memory_management
import comfy.model_base
import comfy.ops
import comfy.sd
import comfy.sd1_clip
import comfy.sdxl_clip
import comfy.supported_models_base
import comfy.text_encoders.sd2_clip
import folder_paths
import nodes as core
import torch
import transformers
from safetensors.torch import save_file

sys.path.append(str(inside.PACK))  # last: the host has a nodes of its own
import random_priors
import tiny_encoders
from mmc_pack.mm_core.embedded.prior import load_priors
from mmc_pack.mm_core.embedded.vocabulary import tokenize
from mmc_pack.mm_core.errors import InputError, MMError
from mmc_pack.mm_core.priors.load import load_prior
from mmc_pack.mm_core.priors.prior import PriorText, Request
from mmc_pack.mm_core.priors.space import CLIP_BIGG, CLIP_L, EMBEDDED, ImageEmbedding, Space
from mmc_pack.nodes.host.embedded import load_embedded_model
from mmc_pack.nodes.host.encoders import files as encoder_files
from mmc_pack.nodes.host.prior import files
from mmc_pack.nodes.host.prior.text import ShippedTower, plain, read_text
from mmc_pack.nodes.host.prior.vectors import NoTokensError, VectorOutput, embedding_of

torch.set_grad_enabled(False)  # as the host runs every node
SMALL = Space("a small CLIP", 64)
TINY = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 2,
    "hidden_act": "gelu", "projection_dim": 64,
}  # fmt: skip
ENDS = {"bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 49407}
PROMPT = "a red fox, jumping over the lazy dog; at dawn!"
folder = Path(tempfile.mkdtemp())


def random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def off(found, wanted):
    return float((found - wanted).abs().max() / wanted.abs().max())


def refusal(run):
    try:
        run()
    except MMError as e:
        return str(e)


# text towers


def reference():
    """transformers' own text tower, and its tokenizer as it pads."""
    torch.manual_seed(3)
    config = transformers.CLIPTextConfig(**TINY, **ENDS)
    return transformers.CLIPTextModelWithProjection(config).eval()


def host_clip(theirs, kind="sdxl", projected=True):
    """A CLIP of the host's that holds the same weights."""
    config = {**TINY, "eos_token_id": 49407}
    options = {f"clip_{n}_model_config": config for n in "lgh"} | {"dtype": torch.float32}
    tokenizer, model, name = {
        "sdxl": (comfy.sdxl_clip.SDXLTokenizer, comfy.sdxl_clip.SDXLClipModel, "clip_g"),
        "sd1": (comfy.sd1_clip.SD1Tokenizer, comfy.sd1_clip.SD1ClipModel, "clip_l"),
        "sd2": (
            comfy.text_encoders.sd2_clip.SD2Tokenizer, comfy.text_encoders.sd2_clip.SD2ClipModel,
            "clip_h",
        ),
    }[kind]  # fmt: skip
    if kind == "sdxl":  # of another width, so that the sections differ
        options["clip_l_model_config"] = {**config, "hidden_size": 32}
    target = comfy.supported_models_base.ClipTarget(tokenizer, model)
    state = {f"{name}.transformer.{n}": t.clone() for n, t in theirs.state_dict().items()}
    if not projected:
        state = {n: t for n, t in state.items() if "text_projection" not in n}
    clip = comfy.sd.CLIP(target, state_dict=state, model_options=options)
    return clip, getattr(clip.cond_stage_model, name)


def as_transformers(theirs, words):
    """(tokens, pooled, mask), as a pipeline of diffusers encodes a text for its prior."""
    tokenizer = comfy.sd1_clip.SDTokenizer().tokenizer
    given = tokenizer(
        words, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
    )
    out = theirs(input_ids=given["input_ids"])
    return out.last_hidden_state, out.text_embeds, given["attention_mask"].bool()


def apart(text, wanted):
    tokens, pooled, mask = wanted
    return {
        "tokens": off(text.tokens[mask], tokens[mask]), "pooled": off(text.pooled, pooled),
        "mask": bool(torch.equal(text.mask, mask)),
        "padding": float(text.tokens[~mask].abs().sum()),
    }  # fmt: skip


class Lines(logging.Handler):
    def __init__(self):
        super().__init__()
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


def options_of(section):
    return [section.layer, section.layer_idx, section.return_projected_pooled]


def towers():
    theirs = reference()
    out, long = {}, " ".join(["red"] * 100)
    for kind in ("sdxl", "sd1", "sd2"):
        clip, section = host_clip(theirs, kind)
        before = options_of(section), section.execution_device
        clip.clip_layer(-2)  # how a user asks for another layer
        lines = Lines()
        logging.getLogger().addHandler(lines)
        texts = {w: read_text(SMALL, w, clip) for w in (PROMPT, "", long)}
        logging.getLogger().removeHandler(lines)
        out[kind] = {
            "prompt": apart(texts[PROMPT], as_transformers(theirs, PROMPT)),
            "empty": apart(texts[""], as_transformers(theirs, "")),
            "long": apart(texts[long], as_transformers(theirs, long)),
            "said": [line for line in lines.said if "not heard" in line],
            "options stay": before == (options_of(section), section.execution_device),
            "emphasis": off(
                read_text(SMALL, "a (red:1.4) fox", clip).pooled,
                read_text(SMALL, "a red fox", clip).pooled,
            ),
        }
    clip, section = host_clip(theirs)
    before = options_of(section)
    section.transformer.text_model.encoder.forward = broken
    try:
        read_text(SMALL, PROMPT, clip)
    except RuntimeError:
        out["after an error"] = before == options_of(section)
    return out


def broken(*_, **__):
    raise RuntimeError("out of memory")


def without_projection():
    """Every way in which a host's CLIP can lack what it needs."""
    theirs = reference()
    clip, section = host_clip(theirs, "sd1", projected=False)
    weight = section.transformer.text_projection.weight
    out = {}
    for name, value in {
        "identity": torch.eye(64), "zeros": torch.zeros(64, 64),
        "left": torch.full((64, 64), float("nan")),
    }.items():  # fmt: skip
        weight.copy_(value)
        out[name] = refusal(lambda: read_text(SMALL, PROMPT, clip))
    # plausible numbers, but the file they should have come from has none
    weight.copy_(random(1, 64, 64) / 8)
    state = {"text_model.embeddings.token_embedding.weight": torch.zeros(4, 64)}
    save_file(state, folder / "without.safetensors")
    save_file(state | {"text_projection.weight": torch.zeros(64, 64)}, folder / "with.safetensors")
    for name in ("without", "with"):
        paths = [str(folder / f"{name}.safetensors")]
        clip.patcher.cached_patcher_init = (None, (paths, None))
        out[name] = refusal(lambda: read_text(SMALL, PROMPT, clip.clone()))
    clip.patcher.cached_patcher_init = (None, (str(folder / "unknown.ckpt"),))
    out["unknown"] = refusal(lambda: read_text(SMALL, PROMPT, clip))
    return out


def wrong():
    clip, _ = host_clip(reference())
    embedded_clip = load_embedded_model()[1]
    torch.manual_seed(0)
    for name, kind in (
        ("plain", "CLIPTextModel"), ("narrow", "CLIPTextModelWithProjection"),
    ):  # fmt: skip
        (folder / "encoders" / name).mkdir(parents=True)
        tiny_encoders.clip_text(folder / "encoders" / name, kind)
    folder_paths.add_model_folder_path("mmc_encoders", str(folder / "encoders"))
    flat, narrow = encoder_files.load("plain"), encoder_files.load("narrow")
    return {
        "none": refusal(lambda: read_text(CLIP_BIGG, PROMPT)),
        "both": refusal(lambda: read_text(CLIP_L, PROMPT, clip, narrow)),
        "another width": refusal(lambda: read_text(CLIP_BIGG, PROMPT, clip)),
        "no CLIP": refusal(lambda: read_text(CLIP_L, PROMPT, embedded_clip)),
        "not the embedded one": refusal(lambda: read_text(EMBEDDED, "red", clip)),
        "encoder": refusal(lambda: read_text(EMBEDDED, "red", None, narrow)),
        "unprojected": refusal(lambda: read_text(CLIP_L, PROMPT, None, flat)),
        "narrow": refusal(lambda: read_text(CLIP_L, PROMPT, None, narrow)),
        "unknown word": refusal(lambda: read_text(EMBEDDED, "a red fox")),
    }


def our_encoder():
    """A folder of transformers', against the same network called here."""
    space = Space("a tiny CLIP", 16)
    (folder / "encoders" / "tall").mkdir(parents=True)
    torch.manual_seed(0)
    tiny_encoders.save_tokenizer(folder / "encoders" / "tall", 16)
    config = transformers.CLIPTextConfig(
        **{**tiny_encoders.TEXT, "hidden_size": 16}, projection_dim=16
    )
    model = tiny_encoders.save(
        folder / "encoders" / "tall", transformers.CLIPTextModelWithProjection(config)
    )
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "encoders" / "tall")
    encoder = encoder_files.load("tall")
    given = tokenizer("red fox", padding="max_length", max_length=16, return_tensors="pt")
    real = given["attention_mask"].bool()
    out = model(input_ids=given["input_ids"][:, : int(real.sum())])
    text = read_text(space, "red (fox:1.2)", None, encoder)
    return {
        "tokens": off(text.tokens[text.mask], out.last_hidden_state[0]),
        "pooled": off(text.pooled, out.text_embeds),
        "shape": list(text.tokens.shape), "real": int(text.mask.sum()), "wanted": int(real.sum()),
        "padding": float(text.tokens[~text.mask].abs().sum()),
    }  # fmt: skip


def shipped():
    from mmc_pack.mm_core.embedded.weights import load_embedded

    clip = load_embedded_model()[1]
    text = read_text(EMBEDDED, "a (red:1.3) circle on purple and blue stripes", clip)
    wanted = load_priors()[0].encode(
        load_embedded()[0].text, ["a red circle on purple and blue stripes"]
    )
    return {
        "pooled": off(text.pooled, wanted.pooled), "tokens": off(text.tokens, wanted.tokens),
        "mask": bool(torch.equal(text.mask, wanted.mask)),
        "escaped": plain(r"a \(red\) circle"),
    }  # fmt: skip


# files


HEADS = {"karlo": 2}


def late_weights():
    """As the host builds layers where it loads weights when they are needed."""
    there = folder / "priors"
    random_priors.write_all(there)
    folder_paths.add_model_folder_path("mmc_priors", str(there))
    text = PriorText(random(1, 1, 768), random(2, 1, 77, 768), (torch.arange(77) < 9)[None])
    words = torch.tensor([tokenize("a red circle")])

    def loaded(**ops):
        out = {
            name: load_prior(there / f"{name}.safetensors", HEADS.get(name), **ops).sample(
                text, Request((5,), 3, 1.0)
            )
            for name in ("karlo", "laion", "ours")
        }
        priors, tower = load_priors(**ops)[0], ShippedTower()
        told = tower(words)
        for name, prior in priors.priors.items():
            out[name] = prior.sample(told, Request((5,), 3, 1.0))
        return out

    wanted, before = loaded(), getattr(comfy.memory_management, "aimdo_enabled", False)
    comfy.memory_management.aimdo_enabled = True
    try:
        late = loaded(ops=comfy.ops.manual_cast)
    finally:
        comfy.memory_management.aimdo_enabled = before
    return {name: off(late[name].vectors, wanted[name].vectors) for name in wanted}


def precision():
    """bfloat16 is near float32 where it is taken, and the others stay as they are."""
    text = PriorText(random(1, 1, 768), random(2, 1, 77, 768), (torch.arange(77) < 9)[None])
    out = {}
    for name in ("karlo", "laion", "ours"):
        whole, half = (
            files.load(f"{name}.safetensors", kind, heads=HEADS.get(name, 0))
            .ready()[0]
            .sample(text, Request((5,), 3, 1.0))
            for kind in ("float32", "bfloat16")
        )
        out[name] = off(half.vectors, whole.vectors)
    return out


# what is handed over


class Redux(torch.nn.Module):
    """A style model: it reads a grid of tokens."""

    def forward(self, tokens):
        return tokens


def handed_over():
    made = VectorOutput(ImageEmbedding(random(3, 2, 768), CLIP_L, unit=True))
    again = embedding_of(made)
    native = comfy.clip_vision.Output()
    native["image_embeds"] = random(3, 2, 768)
    theirs = embedding_of(native)
    bare = comfy.clip_vision.Output()
    flat = comfy.clip_vision.Output()
    flat["image_embeds"] = random(3, 768)
    ill = comfy.clip_vision.Output()
    ill["image_embeds"] = random(3, 1, 768) * float("inf")
    style = comfy.sd.StyleModel(Redux())
    try:
        style.get_cond(made)
        redux = None
    except NoTokensError as e:
        redux = str(e)
    try:
        core.StyleModelApply().apply_stylemodel(
            [[random(1, 1, 4, 8), {}]], style, made, 1.0, "multiply"
        )
        applied = None
    except InputError as e:
        applied = str(e)
    return {
        "instance": isinstance(made, comfy.clip_vision.Output),
        "index": bool(torch.equal(made["image_embeds"], made.image_embeds)),
        "vectors": bool(torch.equal(again.vectors, random(3, 2, 768))),
        "space": [str(again.space), again.unit], "native": [str(theirs.space), theirs.unit],
        "same": bool(torch.equal(theirs.vectors, again.vectors)),
        "bare": refusal(lambda: embedding_of(bare)), "flat": refusal(lambda: embedding_of(flat)),
        "ill": refusal(lambda: embedding_of(ill, "like")), "redux": redux, "applied": applied,
        "asked": [hasattr(made, n) for n in (
            "last_hidden_state", "penultimate_hidden_states", "all_hidden_states")],
    }  # fmt: skip


def readers():
    """SDXL's and Stable Cascade's own code, on what is handed over."""
    from comfy.ldm.modules.encoders.noise_aug_modules import CLIPEmbeddingNoiseAugmentation

    augment = CLIPEmbeddingNoiseAugmentation(
        noise_schedule_config={"timesteps": 1000, "beta_schedule": "squaredcos_cap_v2"},
        timestep_dim=1280,
    )
    vector = random(4, 1, 1280)
    made = VectorOutput(ImageEmbedding(vector, CLIP_BIGG))
    (told,) = core.unCLIPConditioning().apply_adm([[random(1, 1, 4, 8), {}]], made, 0.7, 0.0)
    said = told[0][1]["unclip_conditioning"]
    pooled = comfy.model_base.sdxl_pooled(
        {"unclip_conditioning": said, "device": torch.device("cpu"), "seed": 20}, augment
    )
    # squaredcos at its first step: the vector, and a little noise of the seed less 10
    kept = augment.sqrt_alphas_cumprod[0], augment.sqrt_one_minus_alphas_cumprod[0]
    noise = torch.randn(vector.shape[1:], generator=torch.manual_seed(10))
    wanted = 0.7 * (kept[0] * vector + kept[1] * noise)

    two = VectorOutput(ImageEmbedding(random(5, 2, 768), CLIP_L))
    (told,) = core.unCLIPConditioning().apply_adm([[random(1, 1, 4, 8), {}]], two, 0.5, 0.0)
    cascade = comfy.model_base.StableCascade_C.extra_conds(
        None, pooled_output=None, unclip_conditioning=told[0][1]["unclip_conditioning"]
    )
    return {
        "sdxl": off(pooled, wanted), "sdxl kept": float(kept[0]),
        "cascade": off(cascade["clip_img"].cond, 0.5 * random(5, 2, 768)[None]),
        "cascade shape": list(cascade["clip_img"].cond.shape),
    }  # fmt: skip


found = {
    "towers": towers(),
    "without projection": without_projection(),
    "wrong": wrong(),
    "our encoder": our_encoder(),
    "shipped": shipped(),
    "late weights": late_weights(),
    "precision": precision(),
    "handed over": handed_over(),
    "readers": readers(),
}
sys.stdout.write(json.dumps(found) + "\n")
