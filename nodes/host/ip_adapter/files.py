"""Adapter files in ComfyUI's models/ipadapter, which other packs share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import comfy.ops
import comfy.utils
import folder_paths

from ....mm_core.adapters.ip_adapter.adapter import make_adapter
from ....mm_core.adapters.ip_adapter.layout import Layout
from ....mm_core.adapters.ip_adapter.load import read_adapter, read_layout
from ....mm_core.errors import MMError
from .. import folders
from ..changed import stamp
from ..patcher import managed, ready

FOLDER = "ipadapter"
READ, PICKLED = (".safetensors",), (".bin",)


@dataclass(frozen=True)
class HostIPAdapter:
    """An adapter under ComfyUI's memory management. lora: the weights that FaceID files add."""

    patcher: Any
    layout: Layout
    lora: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def ready(self):
        """The module, on the device where it runs."""
        return ready(self.patcher)


def register_folder() -> None:
    folders.register(FOLDER, (*READ, *PICKLED))


def names() -> list[str]:
    """Files of the folder. Pickled ones are listed: choosing one says how to convert it."""
    return folder_paths.get_filename_list(FOLDER)


def stamp_of(name: str) -> str:
    """Changes when the file does."""
    return stamp([folder_paths.get_full_path(FOLDER, name)])


def load(name: str, disable_dynamic: bool = False) -> HostIPAdapter:
    """Raises WeightsError, in one sentence, for a file that is no whole adapter."""
    path = Path(folder_paths.get_full_path_or_raise(FOLDER, name))
    file = read_adapter(path)
    dtype = comfy.utils.weight_dtype(file.tensors)
    module = make_adapter(file.layout, comfy.ops.manual_cast).to(dtype)
    patcher = managed(module, _reload, (name,), disable_dynamic)
    dynamic = getattr(patcher, "is_dynamic", lambda: False)()
    module.load_state_dict(file.tensors, assign=dynamic)
    return HostIPAdapter(patcher, file.layout, file.lora)


def about(name: str) -> str:
    """What a file is, or why it cannot be used."""
    try:
        return str(read_layout(Path(folder_paths.get_full_path_or_raise(FOLDER, name))))
    except (MMError, OSError) as e:
        return str(e)


def _reload(name: str, disable_dynamic: bool = False):
    return load(name, disable_dynamic).patcher
