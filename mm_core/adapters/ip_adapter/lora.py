"""The extra low-rank weights that FaceID files carry for all attentions, self and cross."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...types import Float, Tensor
from .keys import LAYERS, is_lora
from .sites import Site


class LowRank(NamedTuple):
    """To be added to a weight at strength 1 as up @ down; there is no alpha."""

    down: Float[Tensor, "r i"]
    up: Float[Tensor, "o r"]


def lora_weights(tensors: Mapping[str, Tensor], sites: Sequence[Site]) -> dict[str, LowRank]:
    """The host's name of each weight, such as input_blocks.1.1.transformer_blocks.0.attn1.to_q
    .weight -> what to add to it. tensors: canonical names, complete, as detect() demands.

    A file numbers self-attention just before the cross-attention of the same block.
    """
    lora = {name: tensor for name, tensor in tensors.items() if is_lora(name)}
    out: dict[str, LowRank] = {}
    for site in sites if lora else ():
        block = site.host_module.removesuffix("attn2")
        for index, attention in ((site.index - 1, "attn1"), (site.index, "attn2")):
            for part in ("to_q", "to_k", "to_v", "to_out"):
                here = f"{LAYERS}{index}.{part}_lora"
                layer = "to_out.0" if part == "to_out" else part
                out[f"{block}{attention}.{layer}.weight"] = LowRank(
                    lora[f"{here}.down.weight"], lora[f"{here}.up.weight"]
                )
    return out
