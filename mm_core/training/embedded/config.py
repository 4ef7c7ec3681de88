"""The recipe's settings. What is shipped was made with exactly these; the file header says so."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from ...errors import InputError
from .loop import OPTIMIZERS, Budget, Schedule


@dataclass(frozen=True)
class Stage:
    """How one network is trained. optimizer: "adamw" or "muon"."""

    batch: int
    steps: int
    rate: float
    minutes: float = float("inf")
    decay: float = 0.5
    average: float = 0.999
    optimizer: str = "adamw"

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise InputError(f"optimizer is {self.optimizer!r}; choose from {list(OPTIMIZERS)}")
        for name in ("batch", "steps"):
            _check(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")
        for name in ("rate", "minutes", "decay"):
            _check(name, getattr(self, name), getattr(self, name) > 0, "above 0")

    def schedule(self) -> Schedule:
        return Schedule(self.rate, decay=self.decay, average=self.average, optimizer=self.optimizer)

    def budget(self) -> Budget:
        return Budget(self.steps, self.minutes)


OF_DENOISER = ("dropout", "independent_", "object_", "probe_")  # how its settings begin


@dataclass(frozen=True)
class Recipe:
    """scenes: how many; dropout: "structured" or "independent".

    object_weight: the denoiser's loss counts this much more on things than on the ground, at the
    start, and object_weight_end from the share object_weight_until of the budget on.
    probe_weight: of the probe's loss beside the flow's, from probe_start_step on.
    independent_rate: probability that a modality is dropped under independent dropout.
    """

    seed: int = 1000
    scenes: int = 65536
    dropout: str = "structured"
    independent_rate: float = 0.5
    object_weight: float = 5.0
    object_weight_end: float = 1.5
    object_weight_until: float = 0.6
    probe_weight: float = 0.1
    probe_start_step: int = 0
    autoencoder: Stage = field(default_factory=lambda: Stage(16, 6000, 2e-3, average=0.995))
    oracle: Stage = field(default_factory=lambda: Stage(32, 6000, 2e-3, average=0.995))
    denoiser: Stage = field(default_factory=lambda: Stage(48, 16000, 1.2e-3, decay=0.45))

    def __post_init__(self) -> None:
        _check("scenes", self.scenes, self.scenes >= 1, "at least 1")
        until = self.object_weight_until
        _check("object_weight_until", until, until > 0, "above 0")
        if self.dropout not in ("structured", "independent"):
            raise InputError(
                f"dropout is {self.dropout!r}; it must be 'structured' or 'independent'"
            )

    def as_dict(self) -> dict[str, Any]:
        """For the weights' header. An unlimited time budget is left out."""
        table = asdict(self)
        for value in table.values():
            if isinstance(value, dict) and value["minutes"] == float("inf"):
                del value["minutes"]
        return table

    def acted(self, stages: Iterable[str]) -> dict[str, Any]:
        """What made the networks of these stages, and nothing else. For the weights' header."""
        table, chosen = self.as_dict(), set(stages)
        others = {n for n, value in table.items() if isinstance(value, dict)} - chosen
        if "denoiser" not in chosen:
            others |= {n for n in table if n.startswith(OF_DENOISER)}
        elif self.dropout != "independent":
            others.add("independent_rate")
        return {name: value for name, value in table.items() if name not in others}


Base = TypeVar("Base")


def read_recipe(path: Path) -> Recipe:
    """The embedded model's recipe from a JSON file."""
    return fill_recipe(path, Recipe())


def fill_recipe(path: Path, base: Base) -> Base:
    """A recipe from a JSON file; fields that it leaves out are those of base."""
    if path.exists() and not path.is_file():
        raise InputError(f"cannot read the recipe {path}: it is no file; give a JSON file")
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as e:
        raise InputError(f"cannot read the recipe {path}: {e.strerror}") from e
    except (ValueError, RecursionError) as e:
        raise InputError(f"the recipe {path} is not JSON: {e}") from e
    return _fill(base, given, str(path))


def _fill(base: Any, given: Any, where: str) -> Any:
    if not isinstance(given, dict):
        raise InputError(f"{where} must be a table, not {type(given).__name__}")
    known = {f.name: getattr(base, f.name) for f in fields(base)}
    if unknown := given.keys() - known.keys():
        raise InputError(f"{where} has {sorted(unknown)}; known settings are {sorted(known)}")
    values = dict(known)
    for name, value in given.items():
        old = known[name]
        if is_dataclass(old):
            values[name] = _fill(old, value, f"{where}: {name}")
        elif not _like(value, old):
            raise InputError(f"{where}: {name} is {value!r}; it must be like {old!r}")
        else:
            values[name] = type(old)(value)
    return type(base)(**values)


def _like(value: Any, old: Any) -> bool:
    """Whether a JSON value can stand for a default: text for text, whole numbers for whole ones."""
    if isinstance(old, str) or isinstance(value, bool):
        return isinstance(old, str) and isinstance(value, str)
    if isinstance(value, float):
        return isinstance(old, float) or value.is_integer()
    return isinstance(value, int)


def _check(name: str, value: object, good: bool, needed: str) -> None:
    if not good:
        raise InputError(f"{name} is {value}; it must be {needed}")
