"""Tells the editor what each step showed, while sampling runs."""

import sys
import time
from dataclasses import dataclass, field
from typing import Any

from ...mm_core.guidance.trace import Trace

EVENT = "mmc.step"
PER_SECOND = 10


@dataclass
class Teller:
    """Sends the newest figures of a run, at most ten times a second. Does nothing where nobody
    listens: outside a server, or for a prompt that no tab sent.

    A message is {"node", "prompt", "evaluations"} and the figures of Trace.latest().
    """

    last: float = field(default=-1.0)

    def tell(self, trace: Trace, evaluations: int, at_last: bool = False) -> None:
        now = time.monotonic()
        if not at_last and now - self.last < 1 / PER_SECOND:
            return
        server, context = running_server(), running_node()
        if server is None or server.client_id is None or context is None:
            return
        figures = trace.latest()
        if figures is None:
            return
        self.last = now
        message: dict[str, Any] = {
            "node": context.node_id, "prompt": context.prompt_id, "evaluations": evaluations,
            **figures,
        }  # fmt: skip
        server.send_sync(EVENT, message, server.client_id)


def running_server():
    # Only if the host has loaded it: in a script there is none, and it is no light import.
    return getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)


def running_node():
    from comfy_execution.utils import get_executing_context

    return get_executing_context()
