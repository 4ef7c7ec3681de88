"""ComfyUI in this process, on the CPU, with this pack and a network of the SD 1.5 layout.

For scripts that the host's Python runs in the host's folder. Importing it takes over sys.argv.
"""

import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))
sys.argv = ["main.py", "--cpu"]

import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()

import comfy.latent_formats  # noqa: E402
import comfy.model_base  # noqa: E402
import comfy.model_management as manage  # noqa: E402
import comfy.model_patcher  # noqa: E402
import comfy.ops  # noqa: E402
import comfy.supported_models_base  # noqa: E402
import torch  # noqa: E402
from comfy_api import latest  # noqa: E402, F401  loaded by the host before any pack

import nodes  # noqa: E402, F401  the host's own

PACK = Path(__file__).absolute().parents[1]
SD15 = {
    "image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": 320,
    "num_res_blocks": [2, 2, 2, 2], "channel_mult": [1, 2, 4, 4], "num_heads": 8,
    "use_spatial_transformer": True, "context_dim": 768, "use_linear_in_transformer": False,
    "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
    "transformer_depth_output": [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
    "transformer_depth_middle": 1,
}  # fmt: skip
TOKENS, WIDTH = 77, 768


def load_pack(folder=PACK):
    """The name of a pack, loaded as the host loads a folder of custom_nodes."""
    name = str(folder).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, str(folder / "__init__.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return name


class Config(comfy.supported_models_base.BASE):
    unet_config = {}  # noqa: RUF012  the host's class attributes
    unet_extra_config = {}  # noqa: RUF012
    latent_format = comfy.latent_formats.SD15
    memory_usage_factor = 1.0


def random_model(channels):
    """A MODEL of the SD 1.5 layout with random weights in float32."""
    config = Config({**SD15, "model_channels": channels})
    config.set_inference_dtype(torch.float32, None)
    config.custom_operations = comfy.ops.manual_cast
    model = comfy.model_base.BaseModel(config)
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.diffusion_model.parameters():
            weight.normal_(0, 0.02, generator=rng)
    return comfy.model_patcher.ModelPatcher(
        model, manage.get_torch_device(), manage.unet_offload_device()
    )


def conditioning(seed):
    rng = torch.Generator().manual_seed(seed)
    return [[torch.randn(1, TOKENS, WIDTH, generator=rng), {}]]
