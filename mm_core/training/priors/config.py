"""The settings of a prior's training. What is shipped was made with exactly these."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ...errors import InputError
from ..embedded.config import Stage


@dataclass(frozen=True)
class Network:
    """Of one prior. codes and buckets: of the autoregressive one alone."""

    width: int = 128
    heads: int = 4
    layers: int = 3
    codes: int = 64
    buckets: int = 1024

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise InputError(f"{name} is {value}; it must be at least 1")


@dataclass(frozen=True)
class PriorRecipe:
    """scenes: how many; drop: share of texts that become the empty one, so that guidance works.

    limit: of the numbers of a normalised embedding. soft: standard deviation, in buckets, over
    which the target of a code is spread; buckets that are near mean nearly the same.
    """

    seed: int = 2000
    scenes: int = 12288
    drop: float = 0.1
    limit: float = 10.0
    soft: float = 6.0
    tower_layers: int = 1
    diffusion_network: Network = field(default_factory=Network)
    autoregressive_network: Network = field(default_factory=lambda: Network(96, 4, 3))
    tower: Stage = field(
        default_factory=lambda: Stage(128, 320, 3e-3, average=0.98, optimizer="muon")
    )
    diffusion: Stage = field(
        default_factory=lambda: Stage(64, 1500, 3e-3, average=0.99, optimizer="muon")
    )
    autoregressive: Stage = field(
        default_factory=lambda: Stage(32, 1200, 3e-3, average=0.99, optimizer="muon")
    )

    def __post_init__(self) -> None:
        if self.scenes < 256:
            raise InputError(f"scenes is {self.scenes}; it must be at least 256")
        if not 0 <= self.drop < 1:
            raise InputError(f"drop is {self.drop}; it must be between 0 and 1")

    def as_dict(self) -> dict[str, Any]:
        """For the weights' header. An unlimited time budget is left out."""
        table = asdict(self)
        for value in table.values():
            if isinstance(value, dict) and value.get("minutes") == float("inf"):
                del value["minutes"]
        return table

    def acted(self, kind: str, empty: bool) -> dict[str, Any]:
        """For the header of one prior fitted to pairs: what made it, and nothing else.

        empty: whether the text "" was among the pairs; a diffusion prior drops none without it.
        """
        table = self.as_dict()
        kept = {n: table[n] for n in ("seed", "drop", f"{kind}_network", kind)}
        if kind == "diffusion":
            network = kept["diffusion_network"]
            kept["diffusion_network"] = {n: network[n] for n in ("width", "heads", "layers")}
            return kept | {"limit": self.limit, "drop": self.drop if empty else 0.0}
        return kept | {"soft": self.soft}

    def within(self, minutes: float, kind: str | None = None) -> "PriorRecipe":
        """A time budget for all fits, divided as the shipped priors' was. kind: for that alone."""
        shares = {"tower": 0.15, "diffusion": 0.5, "autoregressive": 0.35}
        if kind is not None:
            shares = {kind: 1.0}
        stages = {n: replace(getattr(self, n), minutes=s * minutes) for n, s in shares.items()}
        return replace(self, **stages)
