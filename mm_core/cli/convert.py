"""mmc convert: a pickled file of weights to safetensors, without running what is in it."""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..errors import InputError, WeightsError
from ..weights.load import PICKLED, read_shapes, refuse_web_page
from ..weights.save import whole
from . import options, unpickle


def add(commands: Any) -> None:
    """Adds the sub-command."""
    p = commands.add_parser("convert", help="a .bin or .pt file of weights to safetensors")
    p.add_argument("file", type=Path, metavar="FILE", help=", ".join(PICKLED))
    p.add_argument("--out", type=Path, metavar="FILE", help="default: FILE with .safetensors")
    p.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Reads the file in a process without network, and writes tensors under joined names."""
    source, target = given.file, given.out or given.file.with_suffix(".safetensors")
    if not source.is_file():
        raise InputError(f"{source}: found no file; check the path")
    if source.suffix.lower() not in PICKLED:
        raise InputError(
            f"{source} cannot be converted: needed a name that ends in {', '.join(PICKLED)}"
        )
    if target.suffix != ".safetensors":
        raise InputError(f"--out {target}: the name must end in .safetensors")
    refuse_web_page(source)
    options.writable(target)
    with whole(target) as temporary:
        convert(source, temporary)
        count = len(read_shapes(temporary))
    sys.stdout.write(f"{target}: {count} tensors, {target.stat().st_size / 1e6:.1f} MB\n")


def convert(source: Path, target: Path) -> None:
    """Writes target, or raises WeightsError. -I keeps the reader from code of the folder it is
    run in."""
    reader = [sys.executable, "-I", str(Path(unpickle.__file__).resolve())]
    done = subprocess.run(
        [*reader, str(source.resolve()), str(target.resolve())],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return
    said = done.stderr.strip().splitlines() or [""]
    if done.returncode == unpickle.REFUSED:
        raise WeightsError(f"{source.name} {said[-1]}")
    raise WeightsError(
        f"{source.name} was not converted: the process that read it ended with "
        f"{done.returncode} ({said[-1]}); needed room for the file in memory and on disk; free "
        "some, or try again on another machine"
    )
