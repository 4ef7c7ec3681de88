"""Priors of reduced width as diffusers and DALLE2-pytorch build them, and texts for them."""

import importlib
import importlib.util
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import torch

from mm_core.priors.prior import PriorText

try:
    from diffusers import KandinskyV22PriorPipeline, PriorTransformer, UnCLIPScheduler
    from transformers import (
        CLIPTextConfig,
        CLIPTextModelWithProjection,
        CLIPVisionConfig,
        CLIPVisionModelWithProjection,
    )
except ImportError:  # the default suite collects this file, and runs none of it
    pass

WORDS, VOCABULARY = 11, 64
HEAVY = {  # what DALLE2-pytorch imports and its prior does not use
    "torchvision",
    "kornia",
    "resize_right",
    "x_clip",
    "coca_pytorch",
    "vector_quantize_pytorch",
    "ftfy",
    "regex",
}


def stir(module, seed=0):
    """Weights of a size that lets every tensor matter."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in module.named_parameters():
            drawn = torch.randn(value.shape, generator=rng)
            if name == "clip_std":
                value.copy_(0.5 + drawn.abs())
            elif value.ndim == 1 and name.endswith(("weight", "g")):
                value.copy_(1 + 0.1 * drawn)
            elif value.ndim > 1 and name != "clip_mean":
                value.copy_(drawn * value.shape[-1] ** -0.5)
            else:
                value.copy_(0.2 * drawn)
    return module.eval()


def transformer(dim, heads=4, layers=3):
    """The network of Karlo and Kandinsky 2, with heads of 16."""
    return stir(
        PriorTransformer(
            num_attention_heads=heads,
            attention_head_dim=16,
            num_layers=layers,
            embedding_dim=dim,
            num_embeddings=WORDS,
            additional_embeddings=4,
        )
    )


def scheduler(limit):
    return UnCLIPScheduler(
        variance_type="fixed_small_log", prediction_type="sample", clip_sample_range=limit
    )


class Words:
    """A tokenizer of single letters: what the pipeline asks of one, and nothing else."""

    model_max_length = WORDS

    def __call__(self, prompts, padding, return_tensors, **other):
        prompts, most = [prompts] if isinstance(prompts, str) else prompts, self.model_max_length
        ids = [[62, *(ord(c) % 60 for c in p[: most - 2]), 63] for p in prompts]
        length = most if padding == "max_length" else max(map(len, ids))
        mask = torch.tensor([[1] * len(i) + [0] * (length - len(i)) for i in ids])
        padded = torch.tensor([i + [63] * (length - len(i)) for i in ids])
        return types.SimpleNamespace(input_ids=padded, attention_mask=mask)


def towers(dim):
    """A text and a vision tower of one small CLIP."""
    shared = {"hidden_size": dim, "intermediate_size": 2 * dim, "num_hidden_layers": 2,
              "num_attention_heads": 4, "projection_dim": dim}  # fmt: skip
    text = CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=VOCABULARY, max_position_embeddings=WORDS, eos_token_id=63, **shared
        )
    )
    vision = CLIPVisionModelWithProjection(CLIPVisionConfig(image_size=16, patch_size=8, **shared))
    return stir(text, 1), stir(vision, 2)


def pipeline(dim=32, limit=10.0):
    """Kandinsky 2.2's prior pipeline, whole."""
    text, vision = towers(dim)
    built = KandinskyV22PriorPipeline(
        prior=transformer(dim),
        image_encoder=vision,
        text_encoder=text,
        tokenizer=Words(),
        scheduler=scheduler(limit),
        image_processor=None,
    )
    built.set_progress_bar_config(disable=True)
    return built


@torch.no_grad()
def encode(built, prompts):
    """Prompts as the pipeline's own text tower encodes them."""
    given = built.tokenizer(prompts, "max_length", "pt")
    out = built.text_encoder(given.input_ids)
    return PriorText(out.text_embeds, out.last_hidden_state, given.attention_mask.bool())


def random_text(count, dim, seed=0):
    rng = torch.Generator().manual_seed(seed)
    real = torch.randint(2, WORDS + 1, (count, 1), generator=rng)
    return PriorText(
        torch.randn(count, dim, generator=rng),
        torch.randn(count, WORDS, dim, generator=rng),
        torch.arange(WORDS)[None] < real,
    )


@dataclass(frozen=True)
class Dalle2:
    """DALLE2-pytorch's prior and its network."""

    prior: torch.nn.Module
    net: torch.nn.Module


def has_dalle2():
    return "dalle2_pytorch" in sys.modules or bool(importlib.util.find_spec("dalle2_pytorch"))


def dalle2(dim=32, times=100):
    """One of random weights, with the settings that LAION trained with."""
    module = _dalle2_module()
    net = module.DiffusionPriorNetwork(
        dim=dim, depth=2, num_timesteps=times, max_text_len=WORDS, dim_head=16, heads=4,
        ff_mult=4, norm_out=True, final_proj=True, normformer=True, rotary_emb=True,
    )  # fmt: skip
    prior = module.DiffusionPrior(
        net,
        image_embed_dim=dim,
        timesteps=times,
        cond_drop_prob=0.1,
        condition_on_text_encodings=True,
    )
    return Dalle2(stir(prior), net.eval())


def _dalle2_module():
    """Its one file, without the package's own imports of everything else."""
    if "dalle2_pytorch" not in sys.modules:
        folder = Path(importlib.util.find_spec("dalle2_pytorch").origin).parent
        package = types.ModuleType("dalle2_pytorch")
        package.__path__ = [str(folder)]
        sys.modules["dalle2_pytorch"] = package
        sys.meta_path.insert(0, _Empty())
    try:
        return importlib.import_module("dalle2_pytorch.dalle2_pytorch")
    finally:
        sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, _Empty)]


class _Hollow(types.ModuleType):
    """A module that has every name, and nothing behind it."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda self, *a, **k: None, "__call__": lambda s, x: x})


class _Empty:
    """Finds a hollow module wherever a heavy one would be imported and is not there."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in HEAVY or name in (
            "dalle2_pytorch.tokenizer",
            "dalle2_pytorch.vqgan_vae",
        ):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Hollow(spec.name)

    def exec_module(self, module):
        pass


def full_transformer(dim, words):
    """Kandinsky 2.2's prior network at full size."""
    torch.manual_seed(0)
    prior = PriorTransformer(
        num_attention_heads=32, attention_head_dim=64, num_layers=20, embedding_dim=dim,
        num_embeddings=words, additional_embeddings=4,
    )  # fmt: skip
    with torch.no_grad():
        prior.clip_std.fill_(1.0)
        prior.positional_embedding.normal_(0, 0.02)
        prior.prd_embedding.normal_(0, 0.02)
    return prior.eval()


def full_pipeline(prior, dim, words):
    """The pipeline with a small text tower of its width before it. prior: None for the tower."""
    torch.manual_seed(0)
    shared = {"hidden_size": dim, "intermediate_size": dim, "num_hidden_layers": 1,
              "num_attention_heads": 4, "projection_dim": dim}  # fmt: skip
    text = CLIPTextConfig(
        vocab_size=VOCABULARY, max_position_embeddings=words, eos_token_id=63, **shared
    )
    vision = CLIPVisionConfig(image_size=16, patch_size=8, **shared)
    tokenizer = Words()
    tokenizer.model_max_length = words
    built = KandinskyV22PriorPipeline(
        prior=prior,
        image_encoder=CLIPVisionModelWithProjection(vision).eval(),
        text_encoder=CLIPTextModelWithProjection(text).eval(),
        tokenizer=tokenizer,
        scheduler=scheduler(10.0),
        image_processor=None,
    )
    built.set_progress_bar_config(disable=True)
    return built
