"""What a scale multiplies: the output alone, or keys and values as well.

Scaling keys sharpens or flattens what is looked at; scaling values makes it louder. The variants
are those that users of ComfyUI know under the same names.
"""

from ...errors import InputError
from ...types import Tensor
from .keys_values import KV

SCALINGS = ("V only", "K+V", "K+V w/ C penalty", "K+mean(V) w/ C penalty")
FULL_WIDTH = 1280  # of the widest layers, at which the penalty is none


def scale_kv(kv: KV, scale: float | Tensor, how: str = "V only") -> tuple[KV, float | Tensor]:
    """Keys and values to use, and the scale that is left for the output.

    scale: a number, or (b, 1, 1). "C penalty" first multiplies it by width / 1280, so that narrow
    layers get less. "mean(V)" scales only what all tokens say alike and keeps their differences.
    """
    if how == "V only":
        return kv, scale
    if how not in SCALINGS:
        raise InputError(f"there is no scaling {how!r}; choose from {', '.join(SCALINGS)}")
    if how.endswith("C penalty"):
        scale = scale * (kv.k.shape[-1] / FULL_WIDTH)
    if how.startswith("K+V"):
        return KV(kv.k * scale, kv.v * scale), 1.0
    mean = kv.v.mean(1, keepdim=True)
    return KV(kv.k * scale, kv.v - mean + mean * scale), 1.0
