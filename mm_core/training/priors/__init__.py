"""Fits of priors: on the embedded model's scenes, or on pairs of embeddings from a folder."""
