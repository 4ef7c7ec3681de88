"""Run by the host's Python from the host's folder: modules of the pack where the host builds layers
without weights, which it then gives them as they are needed, against those of an ordinary start.

Prints JSON: how far each module's answer is off.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import inside  # noqa: I001  first: it makes the rest importable
import comfy.memory_management
import comfy.ops
import torch

sys.path.append(str(inside.PACK))  # last: the host has a nodes of its own
import folder_paths
import random_adapters
import random_fusion
from mmc_pack.mm_core.adapters.ip_adapter.projection import ImagePrompt
from mmc_pack.mm_core.fusion.weights import load_fusion
from mmc_pack.mm_core.types import ModalityEmbedding
from mmc_pack.nodes.host.embedded import load_embedded_model
from mmc_pack.nodes.host.ip_adapter import files as adapter_files

torch.set_grad_enabled(False)  # as the host runs every node
folder = Path(tempfile.mkdtemp())


def random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def fusions():
    """What each block of the tests makes of its inputs."""
    out = {}
    for name in random_fusion.BLOCKS:
        block, _ = load_fusion(folder / "fusion" / f"{name}.safetensors", comfy.ops.manual_cast)
        out[f"fusion {name}"] = block(
            [
                ModalityEmbedding(n, random(k, 1, 5, width), torch.ones(1, 5, dtype=torch.bool))
                for k, (n, width) in enumerate(block.config.widths.items())
            ]
        ).embedding.tokens
    return out


def embedded():
    model, clip, vae, adapters, _ = load_embedded_model()
    words = clip.encode_from_tokens(clip.tokenize("a red circle"))
    latent = random(1, 1, 8, 16, 16)
    return {
        "text": words,
        "network": model.model.diffusion_model(latent, torch.tensor([500.0]), words),
        "picture": vae.decode(latent),
        "style": adapters.patcher.model.style(random(2, 1, 3, 64, 64)),
    }


def image_prompts():
    out = {}
    for name, shape in (("one", (2, 48)), ("plus", (2, 17, 64))):
        module, _ = adapter_files.load(f"{name}.safetensors").ready()
        out[f"adapter {name}"] = module.tokens(ImagePrompt(random(3, *shape)))
    return out


def answers():
    return {**fusions(), **embedded(), **image_prompts()}


random_fusion.write_all(folder / "fusion")
random_adapters.write_all(folder / "adapters")
folder_paths.add_model_folder_path("ipadapter", str(folder / "adapters"))
plain, before = answers(), getattr(comfy.memory_management, "aimdo_enabled", False)
comfy.memory_management.aimdo_enabled = True
try:
    late = answers()
finally:
    comfy.memory_management.aimdo_enabled = before
found = {name: float((late[name] - plain[name]).abs().max()) for name in plain}
sys.stdout.write(json.dumps(found) + "\n")
