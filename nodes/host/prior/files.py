"""Priors: the two that ship with this pack, and files in ComfyUI's models/mmc_priors."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import comfy.ops
import folder_paths
import torch

from ....mm_core.embedded.prior import PRIORS, StyleSpace, load_priors
from ....mm_core.priors.about import about_file, about_network
from ....mm_core.priors.dalle2 import RULES
from ....mm_core.priors.diffusion import LIMIT
from ....mm_core.priors.load import AnyPrior, load_prior, read_layout
from ....mm_core.priors.space import EMBEDDED
from ....mm_core.weights.load import read_header
from .. import folders
from ..changed import stamp
from ..encoders.files import PRECISIONS
from ..patcher import managed, ready

FOLDER = "mmc_priors"
READ, PICKLED = (".safetensors",), (".bin", ".pt", ".pth", ".ckpt")
BY_FILE = "by the file"
VERSIONS = (BY_FILE, *RULES)
SHIPPED = {f"embedded: {name}": name for name in PRIORS}


@dataclass(frozen=True)
class HostPrior:
    """A prior under ComfyUI's memory management. about: what it is, in words.

    style: for the embedded model's, takes embeddings back to the tokens its style input reads.
    """

    prior: AnyPrior
    patcher: Any
    about: str
    style: StyleSpace | None = field(default=None, repr=False)

    @property
    def tokens(self) -> int:
        """How many tokens of a text it reads."""
        return self.prior.network.sizes.tokens

    def ready(self) -> tuple[AnyPrior, torch.device]:
        """The prior, and the device where it runs."""
        network, device = ready(self.patcher)
        settle(network, device)
        return self.prior, device


def settle(network: torch.nn.Module, device: torch.device) -> None:
    """Moves what the host leaves behind where a model is loaded in part: all that is no layer's."""
    for module in network.modules():
        if not hasattr(module, "comfy_cast_weights"):
            for held in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                if held.device != device:
                    held.data = held.data.to(device)


def register_folder() -> None:
    folders.register(FOLDER, (*READ, *PICKLED))


def names() -> list[str]:
    """The shipped ones, and files of the folder. Pickled files are listed: choosing one says how to
    convert it."""
    return [*SHIPPED, *folder_paths.get_filename_list(FOLDER)]


def stamp_of(name: str) -> str:
    """Changes when the file does."""
    return stamp([None if name in SHIPPED else folder_paths.get_full_path(FOLDER, name)])


def load(
    name: str,
    precision: str = "float32",
    limit: float = LIMIT,
    heads: int = 0,
    trained_with: str = BY_FILE,
    disable_dynamic: bool = False,
) -> HostPrior:
    """precision, limit: see load_prior; for files of prior transformers.

    heads, trained_with: see detect; 0 and BY_FILE for what is known of the file.
    Raises WeightsError, in one sentence, for a file that is no whole prior.
    """
    asked = (name, precision, limit, heads, trained_with)
    told = {
        "heads": heads or None,
        "trained_with": None if trained_with == BY_FILE else trained_with,
    }
    style = None
    if name in SHIPPED:
        shipped, _ = load_priors(ops=comfy.ops.manual_cast)
        prior, style = shipped.priors[SHIPPED[name]], shipped.space
        about = about_network(name, prior.network, EMBEDDED)
    else:
        path = Path(folder_paths.get_full_path_or_raise(FOLDER, name))
        about = about_file(path, **told)
        kind = _precision(path, precision, told)
        prior = load_prior(path, limit=limit, precision=kind, ops=comfy.ops.manual_cast, **told)
    patcher = managed(prior.network, _reload, asked, disable_dynamic)
    return HostPrior(prior, patcher, about, style)


def _precision(path: Path, asked: str, told: dict[str, Any]) -> torch.dtype:
    """Of the weights: as asked where the network casts what it is given to it."""
    header = read_header(path)
    if header is None:
        casts = read_layout(path, **told).family == "transformer"
    else:
        casts = header.config.get("prior") == "diffusion"
    return PRECISIONS[asked] if casts else torch.float32


def _reload(*asked: Any, disable_dynamic: bool = False):
    return load(*asked, disable_dynamic=disable_dynamic).patcher
