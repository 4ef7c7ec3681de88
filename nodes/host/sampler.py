"""Which of the host's samplers a SAMPLER is."""

_SHORT = {"unipc": "uni_pc", "unipc_bh2": "uni_pc_bh2", "dpm_fast_function": "dpm_fast",
          "dpm_adaptive_function": "dpm_adaptive"}  # fmt: skip


def sampler_name(sampler) -> str:
    """The name that KSampler has for a SAMPLER, as it is on the CPU; empty for one of another pack,
    whatever it is called."""
    function = getattr(sampler, "sampler_function", None)
    if not (getattr(function, "__module__", None) or "").startswith("comfy."):
        return ""
    name = getattr(function, "__name__", "").removeprefix("sample_")
    return _SHORT.get(name, name).removesuffix("_gpu")
