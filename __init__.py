"""The ComfyUI entry point. The nodes are in nodes/, what they do is in mm_core/."""

from comfy_api.latest import ComfyExtension, io

from .nodes import NODES

WEB_DIRECTORY = "./web"


class MultimodalConditioning(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES


async def comfy_entrypoint() -> MultimodalConditioning:
    return MultimodalConditioning()
