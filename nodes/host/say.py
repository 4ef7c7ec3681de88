"""Text on a node, while it runs and after."""

import logging

from .events import running_node, running_server


def say(text: str) -> None:
    """Shows text on the node that runs. Does nothing where nobody looks on."""
    server, context = running_server(), running_node()
    if server is None or server.client_id is None or context is None:
        return
    server.send_progress_text(text, context.node_id, server.client_id)


_log = logging.getLogger(__name__)
_warned: set[str] = set()  # nodes that show a warning, by id


def warn(*doubts: str | None) -> None:
    """Says what is probably not meant: in the log, and on the node that runs. None is no doubt.

    A node that has none any more loses the text of its last run.
    """
    found = [doubt for doubt in doubts if doubt]
    for doubt in found:
        _log.warning("%s", doubt)
    context = running_node()
    if context is None or not (found or context.node_id in _warned):
        return
    (_warned.add if found else _warned.discard)(context.node_id)
    say("\n".join(f"Warning: {doubt}" for doubt in found))
