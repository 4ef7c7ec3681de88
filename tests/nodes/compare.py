"""What tests ask about pictures and latents."""

import numpy as np


def levels(picture):
    """(h, w, 3) in 0..255, as float64."""
    return np.asarray(picture, dtype=np.float64)


def identical(a, b):
    """Bit for bit, whatever the files say beside their pixels."""
    return a.size == b.size and a.tobytes() == b.tobytes()


def psnr(a, b):
    """dB; infinite where the pictures are equal."""
    error = ((levels(a) - levels(b)) ** 2).mean() / 255**2
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def shows_something(picture):
    """Neither one flat colour nor what a NaN becomes."""
    return levels(picture).std() > 4


def off(found, wanted):
    """The largest difference of two latents as a share of the largest value."""
    return float((found - wanted).abs().max() / wanted.abs().max())
