"""Small UNets of diffusers with published topologies, run by diffusers' adapters and by ours."""

import copy
import math
import tempfile
from pathlib import Path

import layouts
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from mm_core.adapters.ip_adapter.attend import ImageTerm, add_images
from mm_core.adapters.ip_adapter.load import load_adapter
from mm_core.adapters.ip_adapter.projection import ImagePrompt
from mm_core.adapters.ip_adapter.sites import Architecture, check_fits, sites

CONTEXT, CLIP, HIDDEN, IDENTITY = 64, 48, 80, 32
SD15 = Architecture("tiny SD1.5", CONTEXT, (32, 64, 96, 96), (1, 1, 1, 0), 1)
SDXL = Architecture("tiny SDXL", CONTEXT, (32, 64, 128), (0, 2, 10), 10)
PROJECTIONS = {
    "base": layouts.base(CLIP, CONTEXT),
    "full": layouts.full(HIDDEN, CONTEXT),
    "plus": layouts.plus(HIDDEN, 96, 2, CONTEXT),
    "faceid": layouts.faceid(IDENTITY, CONTEXT),
    "portrait": layouts.faceid(IDENTITY, CONTEXT, 16),
    "faceid_plus": layouts.faceid_plus(IDENTITY, HIDDEN, CONTEXT),
    "faceid_plusv2": layouts.faceid_plus(IDENTITY, HIDDEN, CONTEXT),
}


def unet(model, seed=1):
    from diffusers import UNet2DConditionModel

    torch.manual_seed(seed)
    down = [f"{'CrossAttn' if d else ''}DownBlock2D" for d in model.depths]
    up = [f"{'CrossAttn' if d else ''}UpBlock2D" for d in reversed(model.depths)]
    heads = {"attention_head_dim": 4}
    if model is SDXL:
        heads = {
            "attention_head_dim": (2, 4, 8),
            "transformer_layers_per_block": tuple(max(1, d) for d in model.depths),
            "use_linear_projection": True,
        }
    return UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, layers_per_block=2,
        block_out_channels=model.widths, norm_num_groups=8, cross_attention_dim=CONTEXT,
        down_block_types=tuple(down), up_block_types=tuple(up), **heads,
    ).eval().requires_grad_(False)  # fmt: skip


def widths(model):
    """Of all cross-attentions in the order of files, as the published models have them."""
    table = {SD15: layouts.SD15_WIDTHS, SDXL: layouts.SDXL_WIDTHS}[model]
    published = (320, 640, 1280)
    return [model.widths[published.index(w)] for w in table]


class Files:
    """Adapter files with random weights, in a folder that lives as long as this object."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def write(self, model, family, seed=0):
        shapes = PROJECTIONS[family] | layouts.layers(widths(model), CONTEXT)
        path = self.folder / f"{family}-{seed}.safetensors"
        save_file(layouts.random_tensors(shapes, seed), path)
        return path


def diffusers_adapter(network, *paths):
    """A pipeline around the network, its adapters loaded by diffusers from their files."""
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline
    from transformers import CLIPTextConfig, CLIPTextModel

    text = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=CONTEXT, intermediate_size=64, num_hidden_layers=1,
            num_attention_heads=2, vocab_size=100,
        )
    )  # fmt: skip
    vae = AutoencoderKL(block_out_channels=(16,), norm_num_groups=8, latent_channels=4)
    pipeline = StableDiffusionPipeline(
        vae, text, None, copy.deepcopy(network), DDIMScheduler(), None, None, None, False
    )
    pipeline.load_ip_adapter(
        [str(p.parent) for p in paths], subfolder=[""] * len(paths),
        weight_name=[p.name for p in paths], image_encoder_folder=None, local_files_only=True,
    )  # fmt: skip
    return pipeline


class OurProcessor:
    """Attention to the text by PyTorch, to the image prompts by mm_core."""

    def __init__(self, terms):
        self.terms = terms

    def __call__(
        self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, **_
    ):
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q, k, v = attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context)
        split = [x.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for x in (q, k, v)]
        text = F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2)
        return attn.to_out[0](add_images(text, q, self.terms(q), attn.heads))


def ours(model, network, *adapters):
    """The network with our processors. Each adapter is (path, tokens of it, term for a site).

    term(site, kv, queries) -> the terms of one cross-attention.
    """
    network = copy.deepcopy(network)
    processors = {name: OurProcessor(lambda q: []) for name in network.attn_processors}
    for site in sites(model):
        processors[f"{site.module}.processor"] = OurProcessor(_terms(site, adapters))
    network.set_attn_processor(processors)
    return network


def _terms(site, adapters):
    def terms(q):
        return [t for kv, term in adapters for t in term(site, kv[site.index], q)]

    return terms


def adapter(path, model):
    loaded = load_adapter(path)
    check_fits(loaded.layout, model)
    return loaded


def constant(scale):
    return lambda site, kv, q: [ImageTerm(kv, scale)]


def inputs(model, rows=2):
    rng = torch.Generator().manual_seed(7)
    side = 16
    return (
        torch.randn(rows, 4, side, side, generator=rng),
        torch.tensor(321),
        torch.randn(rows, 7, CONTEXT, generator=rng),
    )


@torch.no_grad()
def run(network, given, image_embeds=None, **options):
    x, t, text = given
    added = {} if image_embeds is None else {"image_embeds": image_embeds}
    return network(x, t, encoder_hidden_states=text, added_cond_kwargs=added, **options).sample


def draw(*shape, seed=11):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def prompt(family, rows=2):
    """Random features that the family takes, one picture for each row."""
    features = {"base": (CLIP,), "full": (257, HIDDEN)}.get(family, (10, HIDDEN))
    x, who = draw(rows, *features), draw(rows, IDENTITY, seed=12)
    if family in ("faceid", "portrait"):
        return ImagePrompt(identity=who)
    return ImagePrompt(x, who if family.startswith("faceid_plus") else None)


def side_of(queries):
    return math.isqrt(queries)
