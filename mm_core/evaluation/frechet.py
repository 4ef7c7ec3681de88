"""Frechet distance between two sets of oracle features."""

import torch

from ..types import Float, Tensor


def frechet_distance(a: Float[Tensor, "n f"], b: Float[Tensor, "m f"]) -> float:
    """Between the Gaussians fitted to a and to b. 0 means equal mean and covariance.

    Source: Dowson and Landau 1982; on network features, Heusel et al. 2017, arXiv 1706.08500.
    """
    a, b = a.double(), b.double()
    mean_gap = ((a.mean(0) - b.mean(0)) ** 2).sum()
    ca, cb = torch.cov(a.T), torch.cov(b.T)
    root = _root(ca)
    cross = _root(root @ cb @ root)
    return float(mean_gap + torch.trace(ca) + torch.trace(cb) - 2 * torch.trace(cross))


def _root(symmetric: Float[Tensor, "f f"]) -> Float[Tensor, "f f"]:
    values, vectors = torch.linalg.eigh(symmetric)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T
