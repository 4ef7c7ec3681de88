"""The resampler of the Plus families: a fixed number of latents read any number of features."""

from collections.abc import Callable
from types import ModuleType

import torch
from torch import nn

from ...errors import WeightsError
from ...types import Float, Tensor, Tokens
from .layout import Layout

HEAD = 64  # width of a head in every released file
Change = Callable[[Tensor], Tensor]


class PerceiverAttention(nn.Module):
    """Latents attend to the features and to themselves.

    The scale is split between q and k, and the softmax is in float32, as in the official code:
    half precision would overflow otherwise.
    """

    def __init__(self, width: int, inner: int, ops: ModuleType):
        super().__init__()
        self.heads = inner // HEAD
        self.norm1 = ops.LayerNorm(width)
        self.norm2 = ops.LayerNorm(width)
        self.to_q = ops.Linear(width, inner, bias=False)
        self.to_kv = ops.Linear(width, 2 * inner, bias=False)
        self.to_out = ops.Linear(inner, width, bias=False)

    def forward(
        self, features: Float[Tensor, "b f d"], latents: Tokens, change: Change | None = None
    ) -> Tokens:
        """change: what is done to the normed latents before they are read."""
        x, y = self.norm1(features), self.norm2(latents)
        y = y if change is None else change(y)
        k, v = self.to_kv(torch.cat([x, y], 1)).chunk(2, -1)
        q, k, v = (self._split(part) for part in (self.to_q(y), k, v))
        scores = (q * HEAD**-0.25) @ (k * HEAD**-0.25).transpose(-1, -2)
        heard = scores.float().softmax(-1).to(v.dtype) @ v
        return self.to_out(heard.transpose(1, 2).flatten(2))

    def _split(self, x: Tokens) -> Float[Tensor, "b heads n e"]:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def feed_forward(width: int, inner: int, ops: ModuleType) -> nn.Sequential:
    """Norm, widen, exact GELU, narrow; no biases."""
    return nn.Sequential(
        ops.LayerNorm(width),
        ops.Linear(width, inner, bias=False),
        nn.GELU(),
        ops.Linear(inner, width, bias=False),
    )


def resampler_layers(layout: Layout, prefix: str, ops: ModuleType) -> nn.ModuleList:
    """Pairs of attention and feed-forward, as many and as wide as the file has them."""
    width = layout.shape(f"{prefix}proj_in.weight", 2)[0]
    layers = nn.ModuleList()
    while f"{prefix}layers.{len(layers)}.0.to_q.weight" in layout.shapes:
        here = f"{prefix}layers.{len(layers)}."
        inner = layout.shape(f"{here}0.to_q.weight", 2)[0]
        if inner % HEAD:
            raise WeightsError(
                f"{layout.source} cannot be used: {here}0.to_q.weight has {inner} rows, needed "
                f"whole heads of {HEAD}, as every published file has them; choose another file"
            )
        wide = layout.shape(f"{here}1.1.weight", 2)[0]
        pair = [PerceiverAttention(width, inner, ops), feed_forward(width, wide, ops)]
        layers.append(nn.ModuleList(pair))
    return layers


class Reader(nn.Module):
    """Latents read features, which are projected once and not changed after.

    Source: the Perceiver Resampler of Alayrac et al. 2022 (Flamingo), arXiv 2204.14198, with a
    projection at each end.
    """

    def __init__(self, layout: Layout, prefix: str, ops: ModuleType):
        super().__init__()
        width, given = layout.shape(f"{prefix}proj_in.weight", 2)
        out, _ = layout.shape(f"{prefix}proj_out.weight", 2)
        self.proj_in = ops.Linear(given, width)
        self.layers = resampler_layers(layout, prefix, ops)
        self.proj_out = ops.Linear(width, out)
        self.norm_out = ops.LayerNorm(out)

    def read(self, features: Float[Tensor, "b f g"], latents: Tokens) -> Float[Tensor, "b n o"]:
        x = self.proj_in(features)
        for pair in self.layers:
            assert isinstance(pair, nn.ModuleList)
            latents = latents + pair[0](x, latents)
            latents = latents + pair[1](latents)
        return self.norm_out(self.proj_out(latents))
