"""What a scene can contain. Order matters: an index here is a class everywhere else."""

import torch

PIXELS = 128  # side of a picture
MAP_PIXELS = 64  # side of a style reference, depth map, skeleton or segmentation map
FRAME_PIXELS = 8  # width of the frame that shows the sound; one latent cell

COLORS = ("red", "green", "blue", "yellow", "orange", "purple", "white", "black")
COLOR_RGB = torch.tensor(
    [
        [0.88, 0.10, 0.12],
        [0.12, 0.66, 0.20],
        [0.12, 0.28, 0.92],
        [0.98, 0.86, 0.10],
        [0.98, 0.50, 0.05],
        [0.55, 0.13, 0.72],
        [0.97, 0.97, 0.97],
        [0.06, 0.06, 0.07],
    ]
)
SHIRT_COLORS = COLORS[:6]
SHAPES = ("circle", "square", "triangle", "star", "ring", "heart")
RELATIONS = ("left of", "right of", "above", "below")
POSITIONS = ("on the left", "on the right", "at the top", "at the bottom", "in the center")
SIZES = ("small", "large")
ARMS = ("up", "down", "out")  # a fourth way, free, is never named

FAMILIES = ("gradient", "stripes", "checks", "dots", "waves", "rings")

SEGMENTS = ("background", *SHAPES, "person")
SEGMENT_RGB = torch.tensor(
    [
        [0, 0, 0],
        [230, 25, 75],
        [60, 180, 75],
        [255, 225, 25],
        [0, 130, 200],
        [245, 130, 48],
        [145, 30, 180],
        [240, 240, 240],
    ],
    dtype=torch.uint8,
)

# A sound colours the frame: pitch gives the hue, low to high, after the colour wheel of Newton's
# Opticks (1704), and timbre gives the pattern.
NOTE_NAMES = ("red", "yellow", "green", "cyan", "blue", "magenta")
NOTE_RGB = torch.tensor(
    [
        [0.85, 0.05, 0.10],
        [0.95, 0.90, 0.05],
        [0.05, 0.75, 0.10],
        [0.05, 0.85, 0.90],
        [0.05, 0.10, 0.90],
        [0.90, 0.05, 0.85],
    ]
)
TIMBRES = ("pure", "hollow", "rough")
FRAME_PATTERNS = ("solid", "dashed", "rimmed")  # one per timbre

# Joints that a figure has, as indices into the 18 points of the OpenPose BODY_18 order. A figure
# faces the viewer, so its right side is on the left of the picture.
JOINTS = (
    "nose",
    "neck",
    *(f"r_{part}" for part in ("shoulder", "elbow", "wrist")),
    *(f"l_{part}" for part in ("shoulder", "elbow", "wrist")),
    *(f"r_{part}" for part in ("hip", "knee", "ankle")),
    *(f"l_{part}" for part in ("hip", "knee", "ankle")),
)
