"""How the command mmc is called on this machine, for messages that say what to run.

Whoever starts this pack some other way than by the installed command says so once, with
call_as(): ComfyUI's users have no mmc, but a Python and this folder.
"""

import os
import shlex

_start = ["mmc"]


def call_as(*start: str) -> None:
    """From here on the command is these words, such as a Python and the path of mmc.py."""
    _start[:] = start


def command(*arguments: object) -> str:
    """A whole line to copy: the command with these arguments, quoted where that is needed."""
    return " ".join(_quoted(str(word)) for word in [*_start, *arguments])


def _quoted(word: str) -> str:
    if os.name == "nt":
        return f'"{word}"' if set(word) & set(" \t&()^;,") else word
    return shlex.quote(word)
