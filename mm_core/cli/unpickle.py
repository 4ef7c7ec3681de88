"""Reads one pickled file of tensors and writes it as safetensors, in a process of its own.

Run by its path as `python -I unpickle.py SOURCE TARGET`, so it imports nothing of ours. Only here
is a pickle ever opened: by PyTorch's restricted reader, which makes tensors and plain containers
and refuses all else, after network, programs and files to write have been locked. What is wrong
goes to standard error as one line, with exit code 3.
"""

import re
import sys
from pathlib import Path

import safetensors.torch
import torch

REFUSED, WRITING = 3, set("wax+")  # 2 is what Python itself says of a script it cannot find
_LOCKED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn",
           "os.spawn", "os.startfile", "os.remove", "os.rename")  # fmt: skip


class RefusedError(Exception):
    """Why the file cannot be converted: what was found, what was needed, what to do."""


def lock() -> None:
    """From here on this process can neither reach the network, start programs nor open files to
    write. It cannot be undone. The target is written by safetensors, which is not Python."""

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and WRITING & set(str(arguments[1] or "r"))
        if event.startswith(_LOCKED) or writes:
            raise PermissionError(f"{event} is locked while a pickled file is read")

    sys.addaudithook(refuse)


def flatten(value: object, name: str = "") -> dict[str, torch.Tensor]:
    """Nested tables of tensors -> one table, with names joined by dots.

    Raises RefusedError for anything else, and for two tensors of one name.
    """
    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided or value.is_quantized:
            raise RefusedError(
                f"holds a sparse or quantised tensor, {name or 'alone'}; needed plain tensors; "
                "this command cannot convert it"
            )
        # Two names for one tensor are allowed in a pickle, not in safetensors.
        return {name or "tensor": value.detach().clone(memory_format=torch.contiguous_format)}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise RefusedError(
            f"holds {type(value).__name__} {name or 'alone'}; needed tensors by name; take a file "
            "that holds the weights alone"
        )
    out: dict[str, torch.Tensor] = {}
    for key, part in value.items():
        flat = flatten(part, f"{name}.{key}" if name else key)
        if twice := sorted(out.keys() & flat.keys()):
            raise RefusedError(f"names two tensors {twice[0]}; this command cannot convert it")
        out |= flat
    return out


def read(source: Path) -> dict[str, torch.Tensor]:
    """All tensors of a pickled file, on the CPU, or RefusedError."""
    try:
        value = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as e:
        named = re.search(r"GLOBAL (\S+)", str(e))
        found = f"code to run ({named[1]})" if named else f"something else ({type(e).__name__})"
        raise RefusedError(
            f"is damaged or holds {found}; needed tensors alone; take a .safetensors file of the "
            "same weights, or download it again"
        ) from e
    tensors = flatten(value)
    if not tensors:
        raise RefusedError("holds no tensors; needed weights; choose another file")
    return tensors


def main(source: str, target: str) -> int:
    """Reads, then writes; the exit code."""
    lock()
    try:
        safetensors.torch.save_file(read(Path(source)), target, metadata={"format": "pt"})
    except RefusedError as e:
        sys.stderr.write(f"{e}\n")
        return REFUSED
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
