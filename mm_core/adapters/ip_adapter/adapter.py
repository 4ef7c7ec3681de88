"""An image-prompt adapter for a UNet or for Flux, whole, under the names of its file."""

from types import ModuleType

from torch import nn

from ...types import Tokens
from .keys_values import KV, KeysValues
from .layout import Layout
from .projection import ImagePrompt, make_projection
from .sd35 import JointLayers
from .time_resampler import TimeResampler


class IPAdapter(nn.Module):
    """Features -> tokens -> keys and values of every layer. Unset until a file fills it."""

    def __init__(self, layout: Layout, ops: ModuleType = nn):
        super().__init__()
        self.layout = layout
        self.image_proj = make_projection(layout, ops)
        bias = layout.family == "flux_xlabs"
        self.ip_adapter = KeysValues(layout.context, layout.widths, bias, ops)

    def tokens(self, prompt: ImagePrompt) -> Tokens:
        """(b, layout.tokens, layout.token_width), a row for each picture."""
        return self.image_proj(prompt)

    def keys_values(self, tokens: Tokens) -> dict[int, KV]:
        """Layer index -> keys and values."""
        return self.ip_adapter(tokens)


class TimedAdapter(nn.Module):
    """InstantX's for SD3.5: tokens, keys and values depend on the timestep."""

    def __init__(self, layout: Layout, ops: ModuleType = nn):
        super().__init__()
        self.layout = layout
        self.image_proj = TimeResampler(layout, ops)
        self.ip_adapter = JointLayers(layout, ops)


def make_adapter(layout: Layout, ops: ModuleType = nn) -> IPAdapter | TimedAdapter:
    """The module that a file of this layout fills."""
    kind = TimedAdapter if layout.family == "sd35_instantx" else IPAdapter
    return kind(layout, ops)
