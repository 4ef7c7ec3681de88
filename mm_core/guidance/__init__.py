"""Modalities and weights in, one prediction out: which rows to run and how they add up."""
