"""Parses the command line and turns what we raise on purpose into one line and exit code 2."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

import torch

from ..errors import InputError, MMError
from ..weights.command import command

USER_ERROR, CANCELLED = 2, 130


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are raised, so that they come out like all others."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {self.prog} --help")


def parser() -> Parser:
    """The whole command line. Sub-commands import what they need when they run."""
    top = Parser(
        prog=command(),
        description="Text, style, depth, pose, segmentation and sound steer one picture, "
        "each by its own guidance weight, on the embedded model.",
    )
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    from . import bench, convert, demo, doctor, encode, evaluate, generate, train

    for module in (demo, generate, encode, train, evaluate, bench, convert, doctor):
        module.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    try:
        options = parser().parse_args(arguments)
        options.run(options)
    except MMError as e:
        sys.stderr.write(f"mmc: {' '.join(str(e).split())}\n")
        return USER_ERROR
    except (MemoryError, torch.OutOfMemoryError):
        return _out_of_memory()
    except RuntimeError as e:
        if not any(said in str(e) for said in ("not enough memory", "can't allocate memory")):
            raise
        return _out_of_memory()
    except BrokenPipeError:
        return 0
    except OSError as e:
        where = f" {e.filename}" if e.filename else ""
        sys.stderr.write(
            f"mmc: cannot read or write{where}: {e.strerror or e}; nothing was left half-written\n"
        )
        return USER_ERROR
    except KeyboardInterrupt:
        sys.stderr.write("\nmmc: cancelled; nothing was left half-written\n")
        return CANCELLED
    return 0


def _out_of_memory() -> int:
    sys.stderr.write("mmc: out of memory; use a lower --size, --count or --n\n")
    return USER_ERROR
