"""The shipped weights of the embedded model, and how to read another file of the same kind."""

from pathlib import Path

import torch

from ..errors import WeightsError
from ..types import Tensor
from ..weights.header import Header
from ..weights.load import fill, named, read_weights
from ..weights.save import save_tensors
from .denoiser import Widths
from .model import EmbeddedModel

KIND, VERSION = "embedded-model", 1
FOLDER = Path(__file__).parent / "weights"
SHIPPED = FOLDER / "embedded.safetensors"


def load_embedded(path: Path = SHIPPED) -> tuple[EmbeddedModel, Header]:
    """The model in float32 on the CPU, ready to sample, and the file's header."""
    tensors, header = read_weights(path, KIND, VERSION)
    try:
        model = EmbeddedModel(Widths(**header.config["widths"]))
    except (KeyError, TypeError, ValueError) as e:
        raise WeightsError(f"{named(path)} has no usable widths in its header ({e})") from e
    fill(model, {name: t.float() for name, t in tensors.items()}, named(path))
    return model.eval().requires_grad_(False), header


def save_embedded(model: EmbeddedModel, header: Header, path: Path) -> None:
    """Writes the model in half precision."""
    save_tensors(halved(model.state_dict()), path, header)


def halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Floating-point tensors in float16, the rest as they are."""
    return {
        name: t.detach().to(torch.float16) if t.is_floating_point() else t.detach()
        for name, t in state.items()
    }
