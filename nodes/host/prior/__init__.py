"""Priors, and arithmetic with image embeddings."""
