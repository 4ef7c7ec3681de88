"""A progress bar on a terminal, a few plain lines anywhere else."""

import sys
import time
from types import TracebackType
from typing import TextIO

WIDTH = 30


class Progress:
    """with Progress("sampling", 25) as bar: bar.step(). Writes to standard error."""

    def __init__(self, what: str, total: int, stream: TextIO | None = None):
        self.what, self.total, self.done = what, total, 0
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.started = time.monotonic()

    def __enter__(self) -> "Progress":
        self._show()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live:
            self.stream.write("\n")
        elif kind is None:
            self.stream.write(f"{self.what}: done in {time.monotonic() - self.started:.1f} s\n")
        self.stream.flush()

    def step(self, count: int = 1) -> None:
        """Call after each piece of work."""
        self.done += count
        self._show()

    def _show(self) -> None:
        if not self.live:
            return
        share = min(1.0, self.done / max(1, self.total))
        bar = "#" * int(share * WIDTH)
        left = ""
        if self.done:
            seconds = (time.monotonic() - self.started) * (1 - share) / share
            left = f"  {seconds:4.0f} s left"
        self.stream.write(f"\r{self.what} [{bar:<{WIDTH}}] {self.done}/{self.total}{left}   ")
        self.stream.flush()
