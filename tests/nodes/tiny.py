"""Small networks with random weights, for scripts inside the host; import `inside` first."""

import comfy.cldm.cldm
import comfy.controlnet
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import probe_nodes
import torch

UNET = {
    "image_size": 16, "in_channels": 4, "out_channels": 4, "model_channels": 32,
    "num_res_blocks": [1, 1], "channel_mult": [1, 2], "num_heads": 2,
    "use_spatial_transformer": True, "context_dim": 128, "transformer_depth": [1, 1],
    "transformer_depth_output": [1, 1, 1, 1], "transformer_depth_middle": 1,
}  # fmt: skip


def random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def words(seed, length=7, **options):
    """CONDITIONING of one entry, as a text encoder gives it."""
    return [[2 * random(seed, 1, length, 128), options]]


def off(found, wanted):
    """The largest difference, in parts of the largest value."""
    return float((found - wanted).abs().max() / wanted.abs().max())


def config(**more):
    """The host's description of a UNet of the SD 1.5 family."""
    made = probe_nodes.ForeignConfig({**UNET, **more})
    made.set_inference_dtype(torch.float32, None)
    made.custom_operations = comfy.ops.manual_cast
    return made


def filled(model):
    """A MODEL with random weights."""
    _fill(model.diffusion_model, 0)
    manage = comfy.model_management
    return comfy.model_patcher.ModelPatcher(
        model, manage.get_torch_device(), manage.unet_offload_device()
    )


def control_net(seed):
    """A ControlNet of a UNet as `config` has it."""
    net = comfy.cldm.cldm.ControlNet(
        image_size=16, in_channels=4, model_channels=32, hint_channels=3, num_res_blocks=[1, 1],
        channel_mult=[1, 2], num_heads=2, use_spatial_transformer=True, context_dim=128,
        transformer_depth=[1, 1], transformer_depth_middle=1, operations=comfy.ops.manual_cast,
        dtype=torch.float32,
    )  # fmt: skip
    _fill(net, seed)
    device = comfy.model_management.get_torch_device()
    return comfy.controlnet.ControlNet(net, load_device=device)


def _fill(network, seed):
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn(weight.shape, generator=rng) * 0.1)
