"""Stage 3: the denoiser and what feeds it, trained together by flow matching."""

import torch
import torch.nn.functional as F

from ...embedded.encode import one_hot_segments
from ...embedded.model import MODALITIES, SPATIAL, EmbeddedModel
from ...embedded.scenes.attributes import NOTE_NAMES, TIMBRES
from ...embedded.scenes.dataset import style_partner
from ...embedded.scenes.sounds import sound
from ...embedded.vocabulary import START
from ...encoders.audio import log_mel
from ...types import Bool, Float, Int, Latent, Tensor
from .dropout import gain
from .shards import Flat

SOUNDS_PER_CLASS = 32


def sound_bank(seed: int) -> Float[Tensor, "classes variants bands frames"]:
    """Spectrograms of every note and timbre in several takes."""
    rng = torch.Generator().manual_seed(seed)
    waves = [
        sound(note, timbre, rng)
        for note in range(len(NOTE_NAMES))
        for timbre in range(len(TIMBRES))
        for _ in range(SOUNDS_PER_CLASS)
    ]
    mel = log_mel(torch.stack(waves))
    return mel.unflatten(0, (-1, SOUNDS_PER_CLASS)).half()


def available(batch: Flat) -> Bool[Tensor, "b m"]:
    """A scene without a person has no pose, a silent one no sound."""
    yes = torch.ones(len(batch["segment"]), dtype=torch.bool)
    table = {"pose": batch["content.has"][:, 2], "audio": batch["content.note"] >= 0}
    return torch.stack([table.get(name, yes) for name in MODALITIES], 1)


def predict(
    model: EmbeddedModel,
    x: Latent,
    sigma: Float[Tensor, " b"],
    batch: Flat,
    keep: Bool[Tensor, "b m"],
    bank: Tensor,
    rng: torch.Generator,
) -> Latent:
    """The velocity for one batch in which example i has the modalities keep[i]."""
    n = len(x)
    has = dict(zip(MODALITIES, keep.unbind(1), strict=True))
    kind = (batch["content.note"] * len(TIMBRES) + batch["content.timbre"]).clamp(min=0)
    mel = bank[kind, torch.randint(0, bank.shape[1], (n,), generator=rng)].float()
    maps = {
        "depth": batch["depth"].float() / 255,
        "pose": batch["skeleton"].float() / 255,
        "segmentation": one_hot_segments(batch["segment"]),
    }
    fine: Tensor | float = 0.0
    coarse: Tensor | float = 0.0
    for name in SPATIAL:
        f, c = model.adapters.spatial[name](
            maps[name].contiguous(memory_format=torch.channels_last)
        )
        fine, coarse = fine + f * gain(has[name]), coarse + c * gain(has[name])
    return model.denoiser(
        x,
        sigma * 1000,
        model.text(batch["words"]),
        style_tokens=model.adapters.style(batch["style_picture"].float() / 255),
        style_gain=gain(has["style"]),
        audio_tokens=model.adapters.audio(mel),
        audio_gain=gain(has["audio"]),
        fine_residual=fine,
        coarse_residual=coarse,
    )


def choose_words(batch: Flat, keep: Bool[Tensor, "b m"], rng: torch.Generator) -> Flat:
    """Adds "words" (b, n) to the batch: one of each scene's captions, or none where text is
    dropped."""
    n = len(batch["tokens"])
    pick = torch.randint(0, batch["tokens"].shape[1], (n,), generator=rng)
    tokens = batch["tokens"][torch.arange(n), pick].long()
    empty = torch.zeros_like(tokens)
    empty[:, 0] = START
    given = keep[:, MODALITIES.index("text")]
    return {**batch, "words": torch.where(given[:, None], tokens, empty)}


def draw_sigma(
    n: int, rng: torch.Generator, led: Bool[Tensor, " n"] | None = None
) -> Float[Tensor, " n"]:
    """Noise levels: most logit-normal towards noise, the rest uniform, so that both ends are seen.

    A small picture has settled what is where, and how its texture runs, by sigma 0.8: a thing fills
    so many latent cells that even there it stands out of the noise. So half of the examples in led,
    those that words alone place, come from above 0.75.
    Source of the logit-normal: Esser et al. 2024, arXiv 2403.03206, section 3.1.
    """
    middle = torch.sigmoid(1.1 * torch.randn(n, generator=rng) + 0.8)
    flat = torch.rand(n, generator=rng)
    sigma = torch.where(torch.rand(n, generator=rng) < 0.15, flat, middle)
    high = 1 - 0.25 * torch.rand(n, generator=rng)
    above = torch.rand(n, generator=rng) < 0.5
    return sigma if led is None else torch.where(led & above, high, sigma)


def object_weight(segment: Int[Tensor, "b 64 64"], weight: float) -> Float[Tensor, "b 1 16 16"]:
    """weight on and next to things, 1 on the ground."""
    things = F.max_pool2d((segment > 0).float()[:, None], 4)
    return 1 + (weight - 1) * F.max_pool2d(things, 3, 1, 1)


def flow_loss(velocity: Latent, target: Latent, weight: Tensor) -> Tensor:
    """Weighted squared error of the velocity, noise minus latent."""
    return ((velocity.float() - target) ** 2 * weight).mean() / weight.mean()


def gather(table: Flat, rows: Int[Tensor, " b"], rng: torch.Generator) -> Flat:
    """One batch, with another scene of the same style as style picture."""
    batch = {name: column[rows] for name, column in table.items()}
    turn = torch.randint(1, 4, (len(rows),), generator=rng)
    batch["style_picture"] = table["small"][style_partner(rows, turn)]
    return batch
