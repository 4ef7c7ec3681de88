"""Adapter files in ComfyUI's models/ipadapter, which other packs share."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.utils
import folder_paths

from ....mm_core.adapters.ip_adapter.adapter import make_adapter
from ....mm_core.adapters.ip_adapter.layout import Layout
from ....mm_core.adapters.ip_adapter.load import read_adapter, read_layout
from ....mm_core.errors import MMError

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
        comfy.model_management.load_models_gpu([self.patcher])
        return self.patcher.model, self.patcher.load_device


def register_folder() -> None:
    """models/ipadapter, beside what the user's own paths file may have said of it."""
    paths, extensions = folder_paths.folder_names_and_paths.get(FOLDER, ([], set()))
    own = os.path.join(folder_paths.models_dir, FOLDER)
    paths = [*paths, *([own] if own not in paths else [])]
    folder_paths.folder_names_and_paths[FOLDER] = (paths, {*extensions, *READ, *PICKLED})


def names() -> list[str]:
    """Files of the folder. Pickled ones are listed: choosing one says how to convert it."""
    return folder_paths.get_filename_list(FOLDER)


def load(name: str, disable_dynamic: bool = False) -> HostIPAdapter:
    """Raises WeightsError, in one sentence, for a file that is no whole adapter."""
    path = Path(folder_paths.get_full_path_or_raise(FOLDER, name))
    file = read_adapter(path)
    dtype = comfy.utils.weight_dtype(file.tensors)
    module = make_adapter(file.layout, comfy.ops.manual_cast).to(dtype)
    core = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
    kind = comfy.model_patcher.ModelPatcher if disable_dynamic else core
    manage = comfy.model_management
    patcher = kind(
        module.eval(),
        load_device=manage.get_torch_device(),
        offload_device=manage.unet_offload_device(),
    )
    dynamic = getattr(patcher, "is_dynamic", lambda: False)()
    module.load_state_dict(file.tensors, assign=dynamic)
    patcher.cached_patcher_init = (_reload, (name,))
    return HostIPAdapter(patcher, file.layout, file.lora)


def about(name: str) -> str:
    """What a file is, or why it cannot be used."""
    try:
        return str(read_layout(Path(folder_paths.get_full_path_or_raise(FOLDER, name))))
    except (MMError, OSError) as e:
        return str(e)


def _reload(name: str, disable_dynamic: bool = False):
    return load(name, disable_dynamic).patcher
