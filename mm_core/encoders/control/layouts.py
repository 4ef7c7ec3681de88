"""Which index is which point, in every layout that pose estimators speak, and the ways between.

Tables: COCO-17 and COCO-WholeBody-133 (Jin et al. 2020, arXiv 2007.11858), OpenPose's BODY_25 and
its 18 points of COCO with a neck (Cao et al. 2018, arXiv 1812.08008), which is what ControlNets
are shown. Points are (n, 3): x, y, confidence.
"""

import torch

from ...types import Float, Tensor

SEEN = 0.3  # confidence from which a point counts

BODY_18 = (
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow",
    "left wrist", "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle",
    "right eye", "left eye", "right ear", "left ear",
)  # fmt: skip
COCO_17 = (
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder",
    "left elbow", "right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee",
    "right knee", "left ankle", "right ankle",
)  # fmt: skip
FEET_6 = (
    "left big toe", "left small toe", "left heel", "right big toe", "right small toe", "right heel",
)  # fmt: skip
BODY_25 = (*BODY_18[:8], "middle hip", *BODY_18[8:], *FEET_6)

BODY_25_TO_18 = tuple(BODY_25.index(name) for name in BODY_18)
BODY_25_TO_FEET = tuple(BODY_25.index(name) for name in FEET_6)
COCO_17_TO_18 = tuple(COCO_17.index(n) if n in COCO_17 else None for n in BODY_18)  # None: neck
BODY_18_TO_COCO_17 = tuple(BODY_18.index(name) for name in COCO_17)
EYES = (BODY_18.index("right eye"), BODY_18.index("left eye"))  # points 68 and 69 of a face
WRISTS = (BODY_18.index("left wrist"), BODY_18.index("right wrist"))

# COCO-WholeBody: the body is COCO_17, then the feet, 68 points of the face, left and right hand.
WHOLEBODY = {"body": (0, 17), "feet": (17, 23), "face": (23, 91), "left": (91, 112),
             "right": (112, 133)}  # fmt: skip


def body_of_coco(points: Float[Tensor, "17 3"]) -> Float[Tensor, "18 3"]:
    """BODY_18 of COCO_17. The neck lies halfway between the shoulders.

    It is as sure as the less sure shoulder, and not there (0) unless both are above SEEN.
    """
    shoulders = points[[COCO_17.index("left shoulder"), COCO_17.index("right shoulder")]]
    neck = shoulders.mean(0)
    surer_than = shoulders[:, 2].min()
    neck[2] = surer_than if surer_than > SEEN else 0
    return torch.stack([neck if k is None else points[k] for k in COCO_17_TO_18])


def coco_of_body(points: Float[Tensor, "18 3"]) -> Float[Tensor, "17 3"]:
    """COCO_17 of BODY_18, which has all of its points."""
    return points[list(BODY_18_TO_COCO_17)]


def body_of_25(points: Float[Tensor, "25 3"]) -> Float[Tensor, "18 3"]:
    """BODY_18 of BODY_25: all but the middle of the hips and the feet."""
    return points[list(BODY_25_TO_18)]


def feet_of_25(points: Float[Tensor, "25 3"]) -> Float[Tensor, "6 3"]:
    """FEET_6 of BODY_25."""
    return points[list(BODY_25_TO_FEET)]


def face_of_68(points: Float[Tensor, "68 3"], body: Float[Tensor, "18 3"]) -> Float[Tensor, "70 3"]:
    """OpenPose's 70 points of a face: the 68 landmarks, the right eye and the left one."""
    return torch.cat([points, body[list(EYES)]])
