"""Measures: oracles trained on ground truth only, and what they say of a picture."""
