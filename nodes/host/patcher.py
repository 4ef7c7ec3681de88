"""Modules under ComfyUI's memory management."""

import comfy.model_management
import comfy.model_patcher


def managed(module, reload, arguments, disable_dynamic: bool = False):
    """A ModelPatcher of a module whose weights are in it. reload(*arguments, disable_dynamic) makes
    it anew, which the host asks for where it needs a copy."""
    core = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
    kind = comfy.model_patcher.ModelPatcher if disable_dynamic else core
    manage = comfy.model_management
    patcher = kind(
        module.eval(),
        load_device=manage.get_torch_device(),
        offload_device=manage.unet_offload_device(),
    )
    patcher.cached_patcher_init = (reload, arguments)
    return patcher


def ready(patcher):
    """The module, on the device where it runs."""
    comfy.model_management.load_models_gpu([patcher])
    return patcher.model, patcher.load_device


def home():
    """The device on which results wait for the next node."""
    return comfy.model_management.intermediate_device()
