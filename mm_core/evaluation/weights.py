"""The frozen oracle that is shipped beside the model."""

import hashlib
from pathlib import Path

from ..embedded.weights import FOLDER, halved
from ..weights.header import Header
from ..weights.load import fill, read_weights
from ..weights.save import save_tensors
from .oracle import Oracle

KIND, VERSION = "oracle", 1
SHIPPED = FOLDER / "oracle.safetensors"


def load_oracle(path: Path = SHIPPED) -> tuple[Oracle, Header]:
    """The oracle in float32, ready to read pictures, and the file's header."""
    tensors, header = read_weights(path, KIND, VERSION)
    oracle = Oracle()
    floats = {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()}
    fill(oracle, floats, path.name)
    return oracle.eval().requires_grad_(False), header


def save_oracle(oracle: Oracle, header: Header, path: Path) -> None:
    """Writes the oracle in half precision."""
    save_tensors(halved(oracle.state_dict()), path, header)


def fingerprint(path: Path = SHIPPED) -> str:
    """SHA-256 of the file: a judge that changed is another judge."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
