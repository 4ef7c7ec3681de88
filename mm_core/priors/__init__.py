"""Priors: a text as CLIP encodes it in, an image embedding of a named space out."""
