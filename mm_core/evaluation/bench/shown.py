"""Pictures that a benchmark shows beside its figures."""

from ...types import Float, Tensor

Shown = list[tuple[str, list[tuple[str, Float[Tensor, "3 h w"]]]]]
"""Rows of a sheet: a heading, and labelled pictures in 0..1."""
