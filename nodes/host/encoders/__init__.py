"""Encoders of the host's and of ours: an input as an embedding or a map."""
