"""The only place that touches comfy.*. What it decides, mm_core decides."""
