"""Ready weights: what works for common sets of inputs, and known systems term for term.

A preset names its inputs in the order that `chained` and `nested` read them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..errors import PlanError
from ..types import Modality
from .program import SUMMED, Program


@dataclass(frozen=True)
class Preset:
    """weights: by input, in order. source: where the rule is from.

    whole: all inputs are needed and no others fit, as in the sum of a known system.
    """

    composition: str
    weights: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    whole: bool = False

    def applied(self, program: Program) -> Program:
        """A program with this composition and these weights.

        Inputs are matched by name; of those that are left, the first connected is the first that
        is left here. Inputs that a preset does not know keep their own weights, behind the others.
        """
        matched = self._matched([m.name for m in program.modalities])
        by_name = {m.name: m for m in program.modalities}
        known = [replace(by_name[n], weight=self.weights[role]) for role, n in matched.items()]
        others = [m for m in program.modalities if m.name not in matched.values()]
        overlap = program.overlap if self.composition in SUMMED else 0.0
        return replace(
            program,
            modalities=(*known, *others),
            composition=self.composition,
            overlap=overlap,
        )

    @property
    def about(self) -> str:
        """Composition, weights and source in one line."""
        weights = ", ".join(f"{name} {weight:g}" for name, weight in self.weights.items())
        return f"{self.composition}: {weights}" + (f" ({self.source})" if self.source else "")

    def _matched(self, names: Sequence[str]) -> dict[str, str]:
        """Whose name stands for each role, in the order of roles."""
        by_role = {role: role for role in self.weights if role in names}
        if self.whole:
            left = (n for n in names if n not in by_role)
            by_role |= dict(zip([r for r in self.weights if r not in by_role], left, strict=False))
            if len(by_role) != len(self.weights) or len(names) != len(self.weights):
                raise PlanError(
                    f"this preset is for {len(self.weights)} inputs, {' and '.join(self.weights)}; "
                    f"connected are {', '.join(names)}"
                )
        return {role: by_role[role] for role in self.weights if role in by_role}

    def program(self, **changed: float) -> Program:
        """The preset with some of its weights changed."""
        if unknown := sorted(changed.keys() - self.weights.keys()):
            raise PlanError(f"this preset has no {unknown}; it has {list(self.weights)}")
        weights = {**self.weights, **changed}
        return Program(tuple(Modality(n, w) for n, w in weights.items()), self.composition)


def perp_neg_weights(cfg: float, negative: float) -> dict[str, float]:
    """Weights for ComfyUI's PerpNegGuider with its two scales."""
    return {"text": cfg, "negative": -cfg * negative}


SYSTEMS: dict[str, Preset] = {
    "instruct_pix2pix": Preset(
        "chained", {"image": 1.5, "text": 7.5}, "Brooks et al. 2023, arXiv 2211.09800, Eq. 3", True
    ),
    "omnigen2": Preset("chained", {"reference": 2.0, "text": 5.0}, "OmniGen2, dual guidance", True),
    "bagel": Preset(
        "nested", {"image": 2.0, "text": 4.0}, "BAGEL, text inside image guidance", True
    ),
    "multitalk": Preset(
        "chained", {"audio": 4.0, "text": 5.0}, "MultiTalk, audio before text", True
    ),
    "dual_cfg": Preset(
        "chained", {"second": 8.0, "first": 8.0}, "ComfyUI's DualCFGGuider, style regular", True
    ),
    "dual_cfg_nested": Preset(
        "nested", {"second": 8.0, "first": 8.0}, "ComfyUI's DualCFGGuider, style nested", True
    ),
    "perp_neg": Preset("perp_neg", perp_neg_weights(8.0, 1.0), "ComfyUI's PerpNegGuider", True),
}

STARTS: dict[str, Preset] = {
    "text": Preset("leave_one_out", {"text": 4.0}),
    "text and style": Preset("leave_one_out", {"text": 4.0, "style": 2.5}),
    "text and pose": Preset("leave_one_out", {"text": 4.0, "pose": 1.5}),
    "text, depth and style": Preset("leave_one_out", {"text": 3.0, "depth": 1.5, "style": 2.5}),
    "style transfer": Preset("leave_one_out", {"text": 1.5, "depth": 1.5, "style": 2.5}),
    "everything": Preset(
        "leave_one_out",
        {"text": 3.0, "style": 2.5, "depth": 1.5, "pose": 1.5, "segmentation": 1.5, "audio": 2.0},
    ),
}

PRESETS = {**STARTS, **SYSTEMS}
