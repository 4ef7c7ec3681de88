"""What the editor sends along with a prompt."""

import nodes as of_host

from ...mm_core.errors import InputError
from .muted import cut_off


def refuse_cut_off(sent) -> None:
    """InputError where a muted node keeps inputs from a node. sent: that node's hidden inputs."""
    along = sent.extra_pnginfo
    workflow = along.get("workflow") if isinstance(along, dict) else None
    names = of_host.NODE_DISPLAY_NAME_MAPPINGS
    if said := cut_off(workflow, sent.prompt, sent.unique_id, names):
        raise InputError(said)
