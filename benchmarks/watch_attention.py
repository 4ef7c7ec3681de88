"""What text attention does in a UNet of the host: whose it is, how long, and what it waits for.

Import it after in_host.
"""

import time
from collections import Counter

import torch
from comfy.ldm.modules.attention import optimized_attention
from comfy.patcher_extension import WrappersMP
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

TO_CPU = {"cpu", "numpy", "tolist"}
READS = {torch.ops.aten.item.default, torch.ops.aten._local_scalar_dense.default}


class Reads(TorchDispatchMode):
    """Counts numbers read out of tensors: item(), float(), bool(). A GPU must finish first."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func in READS
        return func(*args, **(kwargs or {}))


class Copies(TorchFunctionMode):
    """Counts copies to the CPU: cpu(), numpy(), tolist(). On a CPU nothing is copied, so they are
    counted where Python asks for them."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.count += getattr(func, "__name__", "") in TO_CPU
        return func(*args, **(kwargs or {}))


class Watch:
    """A wrapper around a UNet's network. Counters of one run; reset() begins another.

    counting: whether reads and copies are counted, which takes time.
    """

    def __init__(self, keys):
        self.keys, self.counting = keys, False
        self.reset()

    def reset(self):
        self.calls = self.rows = self.reads = self.copies = 0
        self.seconds = 0.0
        self.blocks = Counter()

    def on(self, model):
        """A clone of a MODEL that is watched."""
        out = model.clone()
        out.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "watch", self)
        return out

    def __call__(self, executor, x, timesteps, context, y, control, transformer_options, **kwargs):
        self.calls += 1
        self.rows += len(x)
        replaced = transformer_options.get("patches_replace", {})
        theirs = replaced.get("attn2", {})
        over = {**theirs, **{key: self._watched(theirs.get(key)) for key in self.keys}}
        options = {**transformer_options, "patches_replace": {**replaced, "attn2": over}}
        return executor(x, timesteps, context, y, control, options, **kwargs)

    def _watched(self, theirs):
        def attention(q, k, v, extra):
            self.blocks[extra["block"][0]] += theirs is not None
            began = time.thread_time()
            out = self._count(theirs or _text, q, k, v, extra)
            self.seconds += time.thread_time() - began
            return out

        return attention

    def _count(self, attend, *given):
        if not self.counting:
            return attend(*given)
        with Reads() as reads, Copies() as copies:
            out = attend(*given)
        self.reads += reads.count
        self.copies += copies.count
        return out


class Projections:
    """Counts calls of linear layers."""

    def __init__(self):
        self.count = 0

    def of(self, layers):
        """Counts these too."""
        for layer in layers:
            layer.register_forward_pre_hook(self._one)

    def _one(self, layer, given):
        self.count += 1


def _text(q, k, v, extra):
    return optimized_attention(
        q, k, v, extra["n_heads"], attn_precision=extra["attn_precision"], transformer_options=extra
    )
