"""Files of fusion blocks in ComfyUI's models/mmc_fusion."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comfy.ops
import folder_paths

from ....mm_core.fusion.about import about_block, is_trained
from ....mm_core.fusion.kinds import kind_of
from ....mm_core.fusion.weights import load_fusion
from .. import folders
from ..changed import stamp
from ..patcher import managed

FOLDER = "mmc_fusion"
READ, PICKLED = (".safetensors",), (".bin", ".pt", ".pth", ".ckpt")


@dataclass(frozen=True)
class HostFusion:
    """A block under ComfyUI's memory management. kind: its name; about: what its file says."""

    patcher: Any
    kind: str
    about: str
    trained: bool

    @property
    def config(self):
        return self.patcher.model.config


def register_folder() -> None:
    folders.register(FOLDER, (*READ, *PICKLED))


def names() -> list[str]:
    """Files of the folder. Pickled ones are listed: choosing one says what to do with it."""
    return folder_paths.get_filename_list(FOLDER)


def stamp_of(name: str) -> str:
    """Changes when the file does."""
    return stamp([folder_paths.get_full_path(FOLDER, name)])


def load(name: str, disable_dynamic: bool = False) -> HostFusion:
    """Raises WeightsError, in one sentence, for a file that is no fusion block."""
    path = Path(folder_paths.get_full_path_or_raise(FOLDER, name))
    block, header = load_fusion(path, comfy.ops.manual_cast)
    patcher = managed(block, _reload, (name,), disable_dynamic)
    return HostFusion(patcher, kind_of(block), about_block(block, header), is_trained(header))


def _reload(name: str, disable_dynamic: bool = False):
    return load(name, disable_dynamic).patcher
