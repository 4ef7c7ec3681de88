"""Text on a node, while it runs and after."""

from .events import running_node, running_server


def say(text: str) -> None:
    """Shows text on the node that runs. Does nothing where nobody looks on."""
    server, context = running_server(), running_node()
    if server is None or server.client_id is None or context is None:
        return
    server.send_progress_text(text, context.node_id, server.client_id)
