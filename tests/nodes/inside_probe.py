"""Random inputs, ControlNets and measures that scripts inside the host share."""

import comfy.cldm.cldm
import comfy.controlnet
import comfy.model_management
import comfy.ops
import torch
from mmc_pack.mm_core.errors import MMError


def random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def words(seed, length=7, **options):
    """CONDITIONING of one entry, as a text encoder gives it."""
    return [[2 * random(seed, 1, length, 128), options]]


def control_net(seed):
    """A ControlNet of ProbeModel's shape."""
    net = comfy.cldm.cldm.ControlNet(
        image_size=16, in_channels=4, model_channels=32, hint_channels=3, num_res_blocks=[1, 1],
        channel_mult=[1, 2], num_heads=2, use_spatial_transformer=True, context_dim=128,
        transformer_depth=[1, 1], transformer_depth_middle=1, operations=comfy.ops.manual_cast,
        dtype=torch.float32,
    )  # fmt: skip
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(torch.randn(weight.shape, generator=rng) * 0.1)
    device = comfy.model_management.get_torch_device()
    return comfy.controlnet.ControlNet(net, load_device=device)


def off(found, wanted):
    return float((found - wanted).abs().max() / wanted.abs().max())


def refusal(run):
    """What a run says in one sentence; None where it does not refuse."""
    try:
        run()
    except MMError as e:
        return str(e)
