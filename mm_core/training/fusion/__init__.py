"""Fits of fusion blocks on the embedded model's scenes, and what they then can do."""
