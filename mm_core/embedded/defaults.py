"""Settings that work, as found by `mmc evaluate --sections weights`; docs/embedded-model.md."""

WEIGHTS = {
    "text": 3.0,
    "style": 2.5,
    "depth": 1.5,
    "pose": 1.5,
    "segmentation": 1.5,
    "audio": 2.0,
}
"""Guidance weight of each modality where the user gives none."""
