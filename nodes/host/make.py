"""Assembles guiders from what is connected to their nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...mm_core.errors import InputError
from ...mm_core.guidance.corrections import Correction
from ...mm_core.guidance.presets import Preset
from ...mm_core.guidance.program import Program, auto_named
from ...mm_core.guidance.report import Report, describe
from .effects import EmbeddedEffect, HostModality, Modalities, on_wire
from .embedded import is_embedded
from .guider import ProgramGuider
from .rewritten import refuse_rewritten_prompts

MOST_MODALITIES = 16
Sockets = Mapping[str, HostModality | Modalities | None]


@dataclass(frozen=True)
class Choices:
    """What guider and sampler nodes let the user choose."""

    composition: str
    push: float
    speed: str = "exact"
    correction: str = "none"
    overlap: float = 0.0
    preset: Preset | None = None


def make_guider(model, sockets: Sockets | None, choices: Choices) -> ProgramGuider:
    """The guider for what is connected, socket after socket; empty ones are skipped."""
    connected = in_order(sockets or {})
    names = auto_named([m.modality.name for m in connected])
    named = [m.renamed(name) for m, name in zip(connected, names, strict=True)]
    if any(isinstance(m.effect, EmbeddedEffect) for m in named) and not is_embedded(model):
        kind = type(model.model).__name__
        raise InputError(
            f"adapters of the embedded model fit its own MODEL only; found a {kind}: connect "
            "model from the same Load Embedded Model, or leave these modalities out"
        )
    refuse_rewritten_prompts(model, named)
    program = Program(
        tuple(m.modality for m in named),
        choices.composition,
        choices.push,
        Correction(choices.correction),
        choices.overlap,
    )
    if choices.preset is not None:
        program = choices.preset.applied(program)
    return ProgramGuider(model, named, program, choices.speed)


def in_order(sockets: Sockets) -> Modalities:
    """The inputs of all sockets. Raises InputError where there is none, or one comes twice."""
    found: dict[int, tuple[str, HostModality]] = {}
    for socket, wire in sockets.items():
        for m in on_wire(socket, wire):
            if id(m) in found:
                first, _ = found[id(m)]
                raise InputError(
                    f"the {m.modality.name} input comes by {first} and again by {socket}, and "
                    "would count twice: put the modality nodes one behind the other and connect "
                    "the last"
                )
            found[id(m)] = socket, m
    if not found:
        raise InputError("no modality is connected; connect at least one, such as Text Modality")
    if len(found) > MOST_MODALITIES:
        raise InputError(f"found {len(found)} inputs; a sampler takes at most {MOST_MODALITIES}")
    return tuple(m for _, m in found.values())


@dataclass(frozen=True)
class GuiderReport:
    """The report of a guider that somebody else runs."""

    guider: ProgramGuider

    def now(self) -> Report:
        """What will run."""
        return describe(self.guider.program)

    def done(self) -> Report:
        """What the last run did. Raises InputError where there was none."""
        if not self.guider.run.planner.steps:
            raise InputError(
                "this guider has not run: connect to after the latent that was sampled with it"
            )
        return run_report(self.guider)

    def __str__(self) -> str:
        return str(self.now())


def run_report(guider: ProgramGuider) -> Report:
    """What the last run of a guider did."""
    run = guider.run
    report = describe(guider.program, run.planner, run.trace)
    return replace(report, warnings=(*filter(None, [run.said]), *report.warnings))
