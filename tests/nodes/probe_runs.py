"""Nodes that only the tests load: they count, break and compare runs. Copied into the test server.

Every node here runs anew in every prompt, and so does what comes after it.
"""

import json

import comfy.model_management
import torch
from comfy.patcher_extension import WrappersMP

KEY = "probe"
_FAULTS = {
    "memory": lambda: comfy.model_management.OOM_EXCEPTION("probe: out of memory"),
    "interrupt": comfy.model_management.InterruptProcessingException,
    "error": lambda: RuntimeError("probe: the network failed"),
}


class _Anew:
    FUNCTION = "run"
    CATEGORY = "tests"

    @classmethod
    def IS_CHANGED(cls, **_):  # noqa: N802  the host's name
        return float("nan")


class ProbeCount(_Anew):
    """A MODEL whose network calls are counted, and the count for ProbeCounted."""

    RETURN_TYPES = ("MODEL", "PROBE_COUNT")

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"model": ("MODEL",)}}

    def run(self, model):
        count = {"unet": [], "control": []}

        def counted(executor, x, t, *args, **kwargs):
            found = executor(x, t, *args, **kwargs)
            options = args[3] if len(args) > 3 else kwargs.get("transformer_options", {})
            count["unet"].append(
                {
                    "rows": x.shape[0],
                    "chunks": list(options.get("cond_or_uncond", [])),
                    "sigma": float(options["sigmas"].flatten()[0]) if "sigmas" in options else None,
                }
            )
            return found

        model = model.clone()
        model.add_wrapper_with_key(WrappersMP.APPLY_MODEL, KEY, counted)
        return model, count


class ProbeCountControl(_Anew):
    """A CONTROL_NET that counts the calls of its network, under a name. The one given stays."""

    RETURN_TYPES = ("CONTROL_NET",)

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {
            "required": {
                "control_net": ("CONTROL_NET",), "count": ("PROBE_COUNT",), "name": ("STRING", {}),
            }
        }  # fmt: skip

    def run(self, control_net, count, name):
        control_net = control_net.copy()
        control_net.control_model = _Watched(
            control_net.control_model,
            lambda x: count["control"].append({"name": name, "rows": x.shape[0]}),
        )
        return (control_net,)


class ProbeFaultControl(_Anew):
    """A CONTROL_NET whose network fails. The one given stays."""

    RETURN_TYPES = ("CONTROL_NET",)

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"control_net": ("CONTROL_NET",), "fault": (list(_FAULTS),)}}

    def run(self, control_net, fault):
        def fail(x):
            raise _FAULTS[fault]()

        control_net = control_net.copy()
        control_net.control_model = _Watched(control_net.control_model, fail)
        return (control_net,)


class _Watched:
    """A module told of before each call. Not a Module, so that nothing can move or patch it."""

    def __init__(self, module, before):
        self._watched = module, before

    def __getattr__(self, name):
        return getattr(self._watched[0], name)

    def __call__(self, *args, **kwargs):
        module, before = self._watched
        before(kwargs["x"] if "x" in kwargs else args[0])
        return module(*args, **kwargs)


class ProbeCounted(_Anew):
    """What was counted when the latent was done, as JSON."""

    RETURN_TYPES = ()
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"samples": ("LATENT",), "count": ("PROBE_COUNT",)}}

    def run(self, samples, count):
        return {"ui": {"text": [json.dumps(count)]}}


class ProbeMarks(_Anew):
    """A UNet MODEL that notes how attention patches see its rows, and the pair that hooks see.

    The count for ProbeCounted holds calls, with a mark and an identity for each row, and pairs.
    """

    RETURN_TYPES = ("MODEL", "PROBE_COUNT")

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"model": ("MODEL",)}}

    def run(self, model):
        seen = {"calls": [], "pairs": []}

        def within(out, extra):
            call = {
                "marks": list(extra["cond_or_uncond"]), "rows": [str(u) for u in extra["uuids"]],
                "sigma": float(extra["sigmas"].flatten()[0]),
            }  # fmt: skip
            if call not in seen["calls"]:  # one of many blocks
                seen["calls"].append(call)
            return out

        def after(args):
            ends = args["cond"], args["uncond"]
            seen["pairs"].append([str(end[0]["uuid"]) if end else None for end in ends])
            return args["denoised"]

        model = model.clone()
        model.set_model_attn1_output_patch(within)
        model.set_model_sampler_post_cfg_function(after)
        return model, seen


class ProbeFault(_Anew):
    """A MODEL whose network calls fail, before they start, with a number of calls going well first.

    Only calls of more than `rows` rows fail, and only `times` of them; 0 is no limit.
    """

    RETURN_TYPES = ("MODEL",)

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {
            "required": {
                "model": ("MODEL",),
                "fault": (list(_FAULTS),),
                "after": ("INT", {"default": 0}),
                "rows": ("INT", {"default": 0}),
                "times": ("INT", {"default": 0}),
            }
        }

    def run(self, model, fault, after, rows, times):
        went = {"calls": 0, "faults": 0}

        def faulty(executor, x, *args, **kwargs):
            went["calls"] += 1
            spent = times and went["faults"] >= times
            if went["calls"] > after and x.shape[0] > rows and not spent:
                went["faults"] += 1
                raise _FAULTS[fault]()
            return executor(x, *args, **kwargs)

        model = model.clone()
        model.add_wrapper_with_key(WrappersMP.APPLY_MODEL, KEY + fault, faulty)
        return (model,)


class ProbeState(_Anew):
    """All that a run could leave behind in a MODEL, a CONTROL_NET and CONDITIONING, as JSON."""

    RETURN_TYPES = ()
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {
            "required": {"model": ("MODEL",), "weights": ("BOOLEAN", {"default": True})},
            "optional": {
                "samples": ("LATENT",), "control_net": ("CONTROL_NET",),
                "conditioning": ("CONDITIONING",),
            },
        }  # fmt: skip

    def run(self, model, weights=True, samples=None, control_net=None, conditioning=None):
        network = model.model.diffusion_model
        state = {
            "weights": _digest(model.model.state_dict()) if weights else "not asked for",
            "options": _said(model.model_options),
            "base options": _said(getattr(model.model, "model_options", None)),
            "patches": sorted(model.patches),
            "object patches": sorted(model.object_patches),
            "hook patches": _said(model.hook_patches),
            "wrappers": _said(model.wrappers),
            "callbacks": _said(model.callbacks),
            "injections": _said(model.injections),
            "additional": sorted(model.additional_models),
            "attachments": sorted(model.attachments),
            "torch hooks": sum(
                len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules()
            ),
            "replaced": [name for name in ("forward", "_forward") if name in vars(network)],
        }
        if control_net is not None:
            state["control"] = {
                "weights": _digest(control_net.control_model.state_dict()) if weights else None,
                "hint": _said(control_net.cond_hint_original),
                "resized hint": _said(control_net.cond_hint),
                "previous": _said(control_net.previous_controlnet),
                "strength": control_net.strength,
                "range": _said(control_net.timestep_range),
                "replaced": [n for n in ("get_control", "forward") if n in vars(control_net)],
            }
        if conditioning is not None:
            state["conditioning"] = _said(conditioning)
        return {"ui": {"text": [json.dumps(state)]}}


def _digest(state):
    """The bits of each tensor added up, and all of them. A weight that changed shows."""
    total = 0
    for i, (_, tensor) in enumerate(sorted(state.items())):
        total += (i + 1) * _bits(tensor)
    return total % 2**61


def _bits(tensor):
    integers = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    flat = tensor.detach().cpu().contiguous()
    return int(flat.view(integers[flat.element_size()]).sum(dtype=torch.int64)) if flat.dim() else 0


def _said(value):
    """JSON of a nest of containers; a tensor by its bits, any other object by type and identity."""
    if isinstance(value, dict):
        return {str(k): _said(v) for k, v in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, list | tuple):
        return [_said(v) for v in value]
    if isinstance(value, torch.Tensor):
        return ["tensor", list(value.shape), _bits(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return [getattr(value, "__qualname__", type(value).__qualname__), id(value)]


NODE_CLASS_MAPPINGS = {
    probe.__name__: probe
    for probe in (
        ProbeCount,
        ProbeCountControl,
        ProbeCounted,
        ProbeMarks,
        ProbeFault,
        ProbeFaultControl,
        ProbeState,
    )
}
