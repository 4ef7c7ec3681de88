"""Weights that others trained for a base model, read in their published layouts."""
