"""InstantX's adapter for SD3.5: image queries hear image keys and prompt keys in one softmax."""

from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from ...types import Float, Tensor
from .flux import HeadAttention
from .keys import LAYERS
from .layout import Layout
from .time_resampler import Timed

Heads = Float[Tensor, "b heads n e"]
PromptHeads = Float[Tensor, " _ heads t e"]
EPS = 1e-6


class JointLayer(nn.Module):
    """One joint block's own norms and projections, under the names they have in files."""

    def __init__(self, layout: Layout, index: int, ops: ModuleType):
        super().__init__()
        here = f"{LAYERS}{index}."
        double, time = layout.shape(f"{here}norm_ip.linear.weight", 2)
        width, given = layout.shape(f"{here}to_k_ip.weight", 2)
        head = layout.shape(f"{here}norm_q.weight", 1)[0]
        self.head = head
        self.norm_ip = nn.ModuleDict({"linear": ops.Linear(time, double)})
        self.to_k_ip = ops.Linear(given, width, bias=False)
        self.to_v_ip = ops.Linear(given, width, bias=False)
        self.norm_q = ops.RMSNorm(head, eps=EPS)
        self.norm_k = ops.RMSNorm(head, eps=EPS)
        self.norm_ip_k = ops.RMSNorm(head, eps=EPS)

    def keys_values(self, timed: Timed) -> tuple[Heads, Heads]:
        """The prompt's keys, normed, and values, of one timestep."""
        shift, scale = self.norm_ip["linear"](F.silu(timed.time))[:, None].chunk(2, -1)
        x = F.layer_norm(timed.tokens, timed.tokens.shape[-1:], eps=EPS) * (1 + scale) + shift
        return self.norm_ip_k(self._split(self.to_k_ip(x))), self._split(self.to_v_ip(x))

    def forward(
        self,
        q: Heads,
        k: Heads,
        v: Heads,
        prompt: tuple[PromptHeads, PromptHeads],
        attend: HeadAttention = F.scaled_dot_product_attention,
    ) -> Tensor:
        """What image tokens hear, (b, n, heads * e), to be scaled and added to the joint
        attention's output for them, before its output projection.

        q, k, v: of the image tokens, not normed: this layer has norms of its own.
        """
        ip_k, ip_v = (part.expand(len(q), -1, -1, -1) for part in prompt)
        keys = torch.cat([self.norm_k(k), ip_k], 2)
        heard = attend(self.norm_q(q), keys, torch.cat([v, ip_v], 2))
        return heard.transpose(1, 2).flatten(2)

    def _split(self, x: Float[Tensor, "b n w"]) -> Heads:
        return x.unflatten(-1, (-1, self.head)).transpose(1, 2)


def before_norm(x: Heads, gain: Float[Tensor, " e"] | None) -> Heads:
    """Queries or keys that the model has normed by head, with its gains undone.

    Their length is lost, but a norm that follows, as this adapter's does, cannot tell. gain None:
    the model norms nothing.
    """
    return x if gain is None else x / gain.to(x)


class JointLayers(nn.ModuleDict):
    """A layer for each joint block, by its number."""

    def __init__(self, layout: Layout, ops: ModuleType = nn):
        super().__init__({str(i): JointLayer(layout, i, ops) for i in layout.widths})

    def keys_values(self, timed: Timed) -> dict[int, tuple[Heads, Heads]]:
        """Block -> the prompt's keys and values at one timestep."""
        return {int(i): layer.keys_values(timed) for i, layer in self.items()}  # type: ignore[operator]
