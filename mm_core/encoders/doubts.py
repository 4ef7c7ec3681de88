"""Inputs that can be used and are probably not what was meant: a sentence for each, or None.

Each looks at a whole batch, and doubts it only where every sample of it is in doubt: a single
odd frame of a video is no mistake. The numbers lie between rendered scenes with their maps, of
which none is doubted, and photos.
"""

import torch

from ..types import Bool, Float, Int, Tensor

COLOURED, DARK, WHITE = 0.1, 0.12, 0.8
SATURATED = 0.4  # a colour's least channel at most, as a share of its largest one
FLAT, SILENT = 1 / 255, 1e-4
OFF_PALETTE = 0.02  # of the RGB cube's diagonal; what JPEG does to an even area is less


def depth_doubt(picture: Float[Tensor, "b c h w"]) -> str | None:
    """Depth maps are grey; a coloured one is a photo, or depth painted in a colour map."""
    if not _all(_share(_chroma(picture) > COLOURED) > 0.05):
        return None
    return (
        "the depth input is in colour, and depth maps are grey, white where near: for a photo put "
        "Encode Depth or another depth estimator before it, and take a colour-mapped depth in grey"
    )


def pose_doubt(picture: Float[Tensor, "b c h w"]) -> str | None:
    """Skeletons are drawn on black, in colours that are full, or white for faces."""
    most, least = picture.amax(1), picture.amin(1)
    black = most < DARK
    drawn = black | (least <= SATURATED * most) | (least > WHITE)
    if not _all((_share(black) < 0.5) | (_share(~drawn) > 0.1)):
        return None
    return (
        "the pose input is no skeleton in OpenPose's colours on black, which is what it should be: "
        "for a photo put Encode Pose or another pose estimator before it"
    )


def palette_doubt(
    picture: Float[Tensor, "b c h w"], palette: Int[Tensor, "k 3"], name: str
) -> str | None:
    """Painted maps have their palette's colours, or black; of a large palette one is near any."""
    small = picture[..., :: max(1, picture.shape[-2] // 128), :: max(1, picture.shape[-1] // 128)]
    colors = small.movedim(1, -1).flatten(1, 2)
    painted = torch.cat([palette.to(colors) / 255, colors.new_zeros(1, 3)])
    near = torch.cdist(colors, painted[None]).amin(-1) / 3**0.5
    if not _all((near > OFF_PALETTE).float().mean(1) > 0.5):
        return None
    return (
        f"more than half of the segmentation's pixels are in none of {name}'s colours, so what is "
        "read of it is guesswork: for a photo connect an encoder, and for a map of another palette "
        "choose that one"
    )


def style_doubt(picture: Float[Tensor, "b c h w"]) -> str | None:
    """One colour everywhere has no texture."""
    flat = picture.flatten(2)
    if not _all((flat.amax(-1) - flat.amin(-1)).amax(1) <= FLAT):
        return None
    return "the style picture is one colour throughout, so it says nothing of texture"


def sound_doubt(wave: Float[Tensor, "b t"]) -> str | None:
    if not _all(wave.abs().amax(-1) <= SILENT):
        return None
    return "the sound is silent, so it says nothing: choose another, or take it away"


def size_doubt(width: int, height: int, trained: int) -> str | None:
    """width, height: pixels of what is made. trained: side of the pictures the model has seen."""
    if (width, height) == (trained, trained):
        return None
    return (
        f"the picture is {width} x {height}, and this model was trained on {trained} x {trained} "
        f"alone: things come out repeated or torn; make the latent {trained} x {trained} and "
        "enlarge the picture afterwards"
    )


def _chroma(picture: Float[Tensor, "b c h w"]) -> Float[Tensor, "b h w"]:
    return picture.amax(1) - picture.amin(1)


def _share(where: Bool[Tensor, "b h w"]) -> Float[Tensor, " b"]:
    return where.float().mean((1, 2))


def _all(doubted: Bool[Tensor, " b"]) -> bool:
    return bool(doubted.all())
