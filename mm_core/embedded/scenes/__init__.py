"""Procedural pictures with exact ground truth: the world the embedded model lives in."""
