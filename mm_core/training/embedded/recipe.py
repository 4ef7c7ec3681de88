"""The stages of the recipe in order. Each reads what the ones before it left in the work folder."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from ...embedded.autoencoder import Autoencoder
from ...embedded.model import EmbeddedModel
from ...embedded.weights import load_embedded
from ...errors import InputError
from ...evaluation.oracle import Oracle
from ...evaluation.weights import load_oracle
from ...types import Tensor
from ...weights.save import save_bytes, save_json, save_tensors
from . import autoencoder as autoencoder_stage
from . import denoiser as denoiser_stage
from . import dropout
from . import oracle as oracle_stage
from .config import Recipe
from .export import MODEL_NAME, ORACLE_NAME, export
from .loop import Report, Trainer
from .probe import Probe
from .probe import loss as probe_loss
from .shards import content_of, make_shard, make_shards, read_shards, style_of

BULK = ("picture", "small", "depth", "skeleton", "segment", "tokens")
VALIDATION_SEED = 800_000  # of scenes that no training shard comes near


def same_work(recipe: Recipe, work: Path, start: Path | None) -> None:
    """Writes down what a work folder is for, or refuses one made for something else.

    Budgets may change: a stopped run may be given more time.
    """
    purpose = recipe.as_dict()
    for stage in ("autoencoder", "oracle", "denoiser"):
        for budget in ("steps", "minutes"):
            purpose[stage].pop(budget, None)
    model = start and start / MODEL_NAME
    purpose["start"] = hashlib.sha256(model.read_bytes()).hexdigest()[:12] if model else None
    note = work / "work.json"
    if not note.exists():
        save_json(purpose, note)
        return
    before = json.loads(note.read_text(encoding="utf-8"))
    if other := sorted(
        k for k in purpose.keys() | before.keys() if purpose.get(k) != before.get(k)
    ):
        raise InputError(
            f"{work} holds the scenes and checkpoints of another recipe: {other[0]} is "
            f"{purpose.get(other[0])!r} now and was {before.get(other[0])!r}; choose another --work"
        )


def scene_paths(recipe: Recipe, work: Path, report: Report) -> list[Path]:
    """The training shards, made where they are missing."""
    return make_shards(
        work / "scenes",
        recipe.scenes,
        recipe.seed,
        lambda n: report(f"scenes {n} of {recipe.scenes}"),
    )


def step_rng(seed: int, step: int) -> torch.Generator:
    """A generator for one step, so that a resumed run draws what an unbroken one would."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def channels_last(model: torch.nn.Module) -> None:
    """The memory layout in which convolutions are fastest on a CPU."""
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it


def pictures_only(paths: list[Path]) -> Tensor:
    """All pictures of some shards, as bytes."""
    skip = tuple(name for name in BULK if name != "picture")
    return read_shards(paths, skip)["picture"]


def train_embedded(
    recipe: Recipe, work: Path, out: Path, report: Report, start: Path | None = None
) -> dict[str, Any]:
    """All stages and the export; returns the figures. Stopped and started again, it goes on.

    start: a folder with an exported model and its oracle. Autoencoder and oracle are taken from
    there as they are, and the denoiser is trained further.
    """
    same_work(recipe, work, start)
    earlier: dict[str, Any] = {}
    if start is None:
        autoencoder = train_autoencoder(recipe, work, report)
        oracle = train_oracle(recipe, work, report)
        model = train_denoiser(recipe, work, autoencoder, report)
    else:
        known, header = load_embedded(start / MODEL_NAME)
        oracle, _ = load_oracle(start / ORACLE_NAME)
        if out.resolve() != start.resolve():
            judge = (start / ORACLE_NAME).read_bytes()  # copied, never written anew
            save_bytes(lambda file: file.write(judge), out / ORACLE_NAME)
        autoencoder = known.autoencoder
        model = train_denoiser(recipe, work, autoencoder, report, known)
        earlier = header.recipe
    unseen = pictures_only([make_shard(work / "scenes", VALIDATION_SEED)])
    psnr = autoencoder_stage.psnr(autoencoder, unseen[:512])
    return export(recipe, work, out, model, oracle, psnr, report, earlier)


def train_autoencoder(recipe: Recipe, work: Path, report: Report) -> Autoencoder:
    """Stage 1, on every fourth shard."""
    pictures = pictures_only(scene_paths(recipe, work, report)[::4])
    stage, path = recipe.autoencoder, work / "autoencoder.safetensors"
    torch.manual_seed(recipe.seed)
    model = Autoencoder()
    autoencoder_stage.principal_start(model, pictures[:600])
    channels_last(model)
    trainer = Trainer(model, stage.schedule(), stage.budget(), path, report)

    def step_loss(step: int, spent: float) -> Tensor:
        rng = step_rng(recipe.seed, step)
        rows = torch.randint(0, len(pictures), (stage.batch,), generator=rng)
        x = (pictures[rows].float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            return autoencoder_stage.loss(model, x, rng)

    trainer.run(step_loss)
    autoencoder_stage.whiten(model, pictures[:2048])
    return model


def train_oracle(recipe: Recipe, work: Path, report: Report) -> Oracle:
    """Stage 2, on the shards that the autoencoder did not see."""
    paths = [p for i, p in enumerate(scene_paths(recipe, work, report)) if i % 4]
    table = read_shards(paths, skip=("small", "skeleton", "tokens"))
    stage = recipe.oracle
    torch.manual_seed(recipe.seed + 1)
    model = Oracle()
    channels_last(model)
    path = work / "oracle.safetensors"
    trainer = Trainer(model, stage.schedule(), stage.budget(), path, report)

    def step_loss(step: int, spent: float) -> Tensor:
        model.train()
        rng = step_rng(recipe.seed + 1, step)
        rows = torch.randint(0, len(table["picture"]), (stage.batch,), generator=rng)
        batch = {name: column[rows] for name, column in table.items()}
        x = oracle_stage.disturb(batch["picture"].float() / 255, rng)
        with torch.autocast("cpu", torch.bfloat16):
            reading = model(x.contiguous(memory_format=torch.channels_last))
        return oracle_stage.loss(
            reading,
            content_of(batch),
            style_of(batch),
            batch["depth"].float() / 255,
            batch["segment"],
        )

    trainer.run(step_loss)
    return model


def latents_of(model: Autoencoder, paths: list[Path], work: Path, report: Report) -> Tensor:
    """The latents of all scenes in half precision, encoded once and kept on disk."""
    path = work / "latents.safetensors"
    if path.exists():
        return load_file(path)["latents"]
    parts = []
    for i, shard in enumerate(paths):
        pictures = pictures_only([shard])
        with torch.no_grad():
            parts += [model.encode(p.float() / 255).half() for p in pictures.split(64)]
        report(f"latents {i + 1} of {len(paths)} shards")
    latents = torch.cat(parts)
    save_tensors({"latents": latents}, path)
    return latents


def train_denoiser(
    recipe: Recipe,
    work: Path,
    autoencoder: Autoencoder,
    report: Report,
    known: EmbeddedModel | None = None,
) -> EmbeddedModel:
    """Stage 3, on all shards, from `known` where it is given. The returned model holds the
    autoencoder too."""
    paths = scene_paths(recipe, work, report)
    latents = latents_of(autoencoder, paths, work, report)
    table = read_shards(paths, skip=("picture",))
    stage, path = recipe.denoiser, work / "denoiser.safetensors"
    bank = denoiser_stage.sound_bank(recipe.seed)
    torch.manual_seed(recipe.seed + 2)
    model = EmbeddedModel()
    if known is not None:
        model.load_state_dict(known.state_dict())
    model.autoencoder = torch.nn.Identity()  # type: ignore[assignment]  # not trained here
    probe = Probe(model.denoiser.place.shape[1])
    both = torch.nn.ModuleDict({"model": model, "probe": probe})
    channels_last(both)
    seen: dict[str, Tensor] = {}
    parts = {
        "features": model.denoiser.coarse_out_look,
        "style_tokens": model.adapters.style,
        "text_tokens": model.text,
    }
    hooks = [
        module.register_forward_hook(lambda _, given, out, name=name: seen.update({name: out}))
        for name, module in parts.items()
    ]
    trainer = Trainer(both, stage.schedule(), stage.budget(), path, report)

    def step_loss(step: int, spent: float) -> Tensor:
        rng = step_rng(recipe.seed + 2, step)
        rows = torch.randint(0, len(latents), (stage.batch,), generator=rng)
        batch = denoiser_stage.gather(table, rows, rng)
        has = denoiser_stage.available(batch)
        if recipe.dropout == "structured":
            keep = dropout.structured(has, rng)
        else:
            keep = dropout.independent(has, recipe.independent_rate, rng)
        batch = denoiser_stage.choose_words(batch, keep, rng)
        clean = latents[rows].float()
        noise = torch.randn(clean.shape, generator=rng)
        sigma = denoiser_stage.draw_sigma(len(clean), rng, dropout.led_by_words(keep))
        mix = sigma[:, None, None, None]
        x = ((1 - mix) * clean + mix * noise).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            velocity = denoiser_stage.predict(model, x, sigma, batch, keep, bank, rng)
            answers = probe(**seen)
        share = min(1.0, spent / recipe.object_weight_until)
        weight = recipe.object_weight + share * (recipe.object_weight_end - recipe.object_weight)
        flow = denoiser_stage.flow_loss(
            velocity, noise - clean, denoiser_stage.object_weight(batch["segment"], weight)
        )
        if step < recipe.probe_start_step:
            return flow
        style, content = style_of(batch), content_of(batch)
        asked = probe_loss(answers, batch["segment"], batch["words"], content, style)
        return flow + recipe.probe_weight * asked

    trainer.run(step_loss)
    for hook in hooks:
        hook.remove()
    model.autoencoder = autoencoder
    return model
