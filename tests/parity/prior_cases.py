"""Each comparison of a prior with diffusers or DALLE2-pytorch: name -> a function that measures."""

import tempfile
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from measured import measured
from priors import (
    dalle2,
    encode,
    has_dalle2,
    pipeline,
    random_text,
    scheduler,
    transformer,
)
from safetensors.torch import save_file

from mm_core.priors.laion import ancestral_loop, ddim_loop, guided
from mm_core.priors.load import load_prior
from mm_core.priors.prior import Request, join, negative_embedding
from mm_core.priors.unclip import solve

FORWARD, TRAJECTORY = 1e-5, 1e-4
KARLO, KANDINSKY = 24, 32  # widths of the embeddings
PROMPTS = ["a red", "on blue st"]


def cases():
    """Name -> function and tolerance."""
    out = {}
    for name, dim in (("Karlo", KARLO), ("Kandinsky 2.2", KANDINSKY)):
        out[f"{name}: one forward"] = partial(forward, dim), FORWARD
        out[f"{name}: without words"] = partial(forward, dim, True), FORWARD
        out[f"{name}: texts read once"] = partial(forward, dim, once=True), FORWARD
    for steps, guidance, limit in ((5, 4.0, 5.0), (25, 4.0, 5.0), (25, 1.0, 10.0), (60, 2.5, 10.0)):
        name = f"Karlo: {steps} steps, guidance {guidance}, limit {limit}"
        out[name] = partial(trajectory, KARLO, steps, guidance, limit), TRAJECTORY
    for steps, guidance in ((5, 4.0), (25, 4.0), (25, 1.0)):
        name = f"Kandinsky 2.2: whole pipeline, {steps} steps, guidance {guidance}"
        out[name] = partial(whole, steps, guidance), TRAJECTORY
    out["Kandinsky 2.2: negative prompt"] = negative_prompt, TRAJECTORY
    out["Kandinsky 2.2: embedding of the negative prompt"] = negative_image, TRAJECTORY
    if has_dalle2():
        for drop in (False, True):
            name = "LAION: one forward" + (", nothing told" if drop else "")
            out[name] = partial(laion_forward, drop), FORWARD
        out["LAION: guidance 2"] = laion_guided, FORWARD
        for steps in (100, 10, 64):
            out[f"LAION: {steps} of 100 steps"] = partial(laion_loop, steps), FORWARD
    return out


def loaded(network, limit=10.0, prefix=""):
    """The reference's own weights, through a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        state = {prefix + n: t.clone().contiguous() for n, t in network.state_dict().items()}
        save_file(state, path)
        return load_prior(path, heads=4, limit=limit)


@torch.no_grad()
def theirs(network, x, t, text):
    return network(
        x,
        timestep=torch.tensor(t),
        proj_embedding=text.pooled,
        encoder_hidden_states=text.tokens,
        attention_mask=text.mask,
    ).predicted_image_embedding


@torch.no_grad()
def forward(dim, wordless=False, once=False):
    """once: the step goes on from texts that were read before. Effect: what the text changes."""
    network, text = transformer(dim), random_text(3, dim)
    if wordless:
        text = type(text)(text.pooled, text.tokens, torch.zeros_like(text.mask))
    x = torch.randn(3, dim, generator=torch.Generator().manual_seed(3))
    net = loaded(network).network
    ours = net(x, torch.full((3,), 417.0), net.read(text) if once else text)
    other = random_text(3, dim, seed=8)
    return measured(ours, theirs(network, x, 417, text), theirs(network, x, 417, other))


@torch.no_grad()
def trajectory(dim, steps, guidance, limit):
    """Every embedding on the way, and the last. Effect: how far they move."""
    network, text, nothing = transformer(dim), random_text(2, dim), random_text(2, dim, seed=5)
    both = join(nothing, text)
    times = scheduler(limit)
    times.set_timesteps(steps)
    rng = torch.Generator().manual_seed(7)
    x, path = torch.randn(2, dim, generator=rng), []
    for t, before in pairwise([*times.timesteps, None]):
        if guidance > 1:
            without, given = theirs(network, torch.cat([x, x]), int(t), both).chunk(2)
            told = without + guidance * (given - without)
        else:
            told = theirs(network, x, int(t), text)
        x = times.step(told, t, x, generator=rng, prev_timestep=before).prev_sample
        path.append(x)
    path.append(network.post_process_latents(x))
    prior, ours = loaded(network, limit), []
    rng = torch.Generator().manual_seed(7)
    predict = prior.predict(text, Request((0, 0), steps, guidance), nothing)

    def watched(x, t):
        ours.append(x)
        return predict(x, t)

    last = solve(
        watched,
        lambda: torch.randn(2, dim, generator=rng),
        prior.table,
        steps,
        limit=prior.limit,
    )
    ours = torch.stack([*ours[1:], last, prior.network.denormalised(last)])
    path = torch.stack(path)
    return measured(ours, path, path[:1].expand_as(path))


def seeded(*seeds):
    return [torch.Generator().manual_seed(s) for s in seeds]


def whole(steps, guidance):
    """From prompts to embeddings; a generator for each image, as ours has. Effect: of the words."""
    built = pipeline(KANDINSKY)

    def reference(prompts):
        return built(
            prompts, generator=seeded(3, 4), num_inference_steps=steps, guidance_scale=guidance
        ).image_embeds

    request = Request((3, 4), steps, guidance)
    ours = loaded(built.prior).sample(encode(built, PROMPTS), request, encode(built, [""])).vectors
    return measured(ours, reference(PROMPTS), reference(["x", "yz"]))


def negative_prompt():
    """Effect: of the negative prompt."""
    built = pipeline(KANDINSKY)
    reference = built(PROMPTS[0], negative_prompt="zzz", generator=seeded(3, 4)).image_embeds
    without = built(PROMPTS[0], generator=seeded(3)).image_embeds
    ours = loaded(built.prior).sample(
        encode(built, PROMPTS[:1]), Request((3,)), encode(built, ["zzz"])
    )
    return measured(ours.vectors, reference, without)


def negative_image():
    """Effect: against that of a grey picture, which stands for no negative prompt."""
    built = pipeline(KANDINSKY)
    found = built(PROMPTS[0], negative_prompt="zzz", generator=seeded(3, 4)).negative_image_embeds
    ours = negative_embedding(loaded(built.prior), encode(built, ["zzz"]), Request((4,)))
    return measured(ours.vectors, found, built.get_zero_embed(1))


@torch.no_grad()
def laion_forward(drop):
    """Effect: of another timestep."""
    ref, text = dalle2(), random_text(3, 32)
    x, t = torch.randn(3, 32, generator=torch.Generator().manual_seed(3)), torch.tensor([40, 7, 99])
    ours = loaded(ref.prior).network(x, t, text, without=drop)
    return measured(ours, _laion(ref, x, t, text, drop), _laion(ref, x, t - 5, text, drop))


def _laion(ref, x, t, text, drop=False):
    words = torch.where(text.mask[..., None], text.tokens, 0)  # zeros are its padding
    return ref.net(
        x, t, text_embed=text.pooled, text_encodings=words,
        text_cond_drop_prob=float(drop), image_cond_drop_prob=float(drop),
    )  # fmt: skip


@torch.no_grad()
def laion_guided():
    """Effect: of guidance."""
    ref, text = dalle2(), random_text(2, 32)
    x, t = torch.randn(2, 32, generator=torch.Generator().manual_seed(3)), torch.tensor([40, 40])
    words = torch.where(text.mask[..., None], text.tokens, 0)
    reference = ref.net.forward_with_cond_scale(
        x, t, text_embed=text.pooled, text_encodings=words, cond_scale=2.0
    )
    ours = guided(loaded(ref.prior).network, text, 2.0)(x, 40)
    return measured(ours, reference, _laion(ref, x, t, text))


@torch.no_grad()
def laion_loop(steps):
    """All steps are DDPM, fewer DDIM. Effect: of the text."""
    ref, text = dalle2(), random_text(2, 32)

    def reference(given):
        torch.manual_seed(5)
        words = torch.where(given.mask[..., None], given.tokens, 0)
        return ref.prior.p_sample_loop(
            (2, 32),
            text_cond={"text_embed": given.pooled, "text_encodings": words},
            cond_scale=1.5,
            timesteps=steps,
        )

    expected, other = reference(text), reference(random_text(2, 32, seed=8))
    prior = loaded(ref.prior)
    predict = guided(prior.network, text, 1.5)
    torch.manual_seed(5)

    def draw():
        return torch.randn(2, 32)

    if steps == 100:
        found = ancestral_loop(predict, draw, prior.table)
    else:
        found = ddim_loop(predict, draw, prior.table, steps)
    return measured(found / 32**0.5, expected, other)
