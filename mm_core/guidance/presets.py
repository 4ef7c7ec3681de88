"""Ready weights: what works for common sets of inputs, and known systems term for term.

A preset names its inputs in the order that `chained` and `nested` read them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import PlanError
from ..types import Modality
from .program import Program


@dataclass(frozen=True)
class Preset:
    """weights: by input, in order. source: where the rule is from."""

    composition: str
    weights: Mapping[str, float] = field(default_factory=dict)
    source: str = ""

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
        "chained", {"image": 1.5, "text": 7.5}, "Brooks et al. 2023, arXiv 2211.09800, Eq. 3"
    ),
    "omnigen2": Preset("chained", {"reference": 2.0, "text": 5.0}, "OmniGen2, dual guidance"),
    "bagel": Preset("nested", {"image": 2.0, "text": 4.0}, "BAGEL, text inside image guidance"),
    "multitalk": Preset("chained", {"audio": 4.0, "text": 5.0}, "MultiTalk, audio before text"),
    "dual_cfg": Preset(
        "chained", {"second": 8.0, "first": 8.0}, "ComfyUI's DualCFGGuider, style regular"
    ),
    "dual_cfg_nested": Preset(
        "nested", {"second": 8.0, "first": 8.0}, "ComfyUI's DualCFGGuider, style nested"
    ),
    "perp_neg": Preset("perp_neg", perp_neg_weights(8.0, 1.0), "ComfyUI's PerpNegGuider"),
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
