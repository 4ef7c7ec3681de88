"""An adapter file to its layout, its tensors or a module, or a refusal that says why."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from ...errors import WeightsError
from ...types import Tensor
from ...weights.load import check_shapes, named, read_foreign, read_shapes
from .adapter import IPAdapter, TimedAdapter, make_adapter
from .keys import canonical_names, is_lora
from .keys import named as adapter_names
from .layout import Layout, detect


@dataclass(frozen=True)
class AdapterFile:
    """A file that was found whole.

    tensors: fill the module that make_adapter(layout) makes. lora: for lora.lora_weights; empty
    in most families.
    """

    layout: Layout
    tensors: dict[str, Tensor]
    lora: dict[str, Tensor]


def read_layout(path: Path) -> Layout:
    """What a file is, from its header alone. Raises WeightsError if it is no whole adapter."""
    layout = detect(read_shapes(path), named(path))
    with torch.device("meta"):
        twin = make_adapter(layout)
    check_shapes(twin, dict(layout.shapes), named(path))
    return layout


def read_adapter(path: Path) -> AdapterFile:
    """Layout and tensors, in the file's own precision, under canonical names.

    Raises WeightsError also for tensors that are not all finite numbers.
    """
    layout = read_layout(path)
    tensors = canonical_names(read_foreign(path, adapter_names(read_shapes(path))))
    _check_numbers(tensors, named(path))
    lora = {name: tensor for name, tensor in tensors.items() if is_lora(name)}
    return AdapterFile(layout, {n: t for n, t in tensors.items() if n not in lora}, lora)


def load_adapter(path: Path, ops: ModuleType = nn) -> IPAdapter | TimedAdapter:
    """The module in float32 on the CPU, ready to use; its layout is its attribute."""
    file = read_adapter(path)
    adapter = make_adapter(file.layout, ops)
    adapter.load_state_dict({name: tensor.float() for name, tensor in file.tensors.items()})
    return adapter.eval().requires_grad_(False)


def _check_numbers(tensors: Mapping[str, Tensor], source: str) -> None:
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise WeightsError(
                f"{source} cannot be used: {name} holds numbers of the kind {kind}; needed "
                "floating point, such as float16: download a file that is not quantised"
            )
        wide = tensor.float() if tensor.element_size() == 1 else tensor
        if not torch.isfinite(wide).all():
            raise WeightsError(
                f"{source} is damaged: {name} holds numbers that are not finite; download it "
                "again, or convert it again from its original"
            )
