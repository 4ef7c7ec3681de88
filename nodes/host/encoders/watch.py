"""Progress and cancel between the parts of a long call."""

from collections.abc import Callable, Iterator

import comfy.model_management
import comfy.utils


def watcher() -> Callable[[int, int], None]:
    """tick(done, total) for an encoder: moves the node's bar, and raises where the user cancels."""
    bars: list[comfy.utils.ProgressBar] = []

    def tick(done: int, total: int) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        if not bars:
            bars.append(comfy.utils.ProgressBar(total))
        bars[0].update_absolute(done, total)

    return tick


def in_parts(batch, size: int) -> Iterator:
    """A batch, size samples at a time, with progress and cancel between."""
    tick = watcher()
    for at in range(0, len(batch), size):
        tick(at, len(batch))
        yield batch[at : at + size]
    tick(len(batch), len(batch))
