"""KSampler's steps around a guider of ours, so that the two nodes agree bit for bit."""

import comfy.sample
import comfy.samplers
import comfy.utils
import latent_preview

from .guider import ProgramGuider

SAMPLERS = comfy.samplers.KSampler.SAMPLERS
SCHEDULERS = comfy.samplers.KSampler.SCHEDULERS


def sample_with(
    guider: ProgramGuider, seed, steps, sampler_name, scheduler, denoise, latent
) -> dict:
    """LATENT in, LATENT out; noise, noise levels and previews as in KSampler."""
    model = guider.model_patcher
    ratios = [latent[k] for k in _RATIOS if k in latent]
    start = comfy.sample.fix_empty_latent_channels(model, latent["samples"], *ratios)
    noise = comfy.sample.prepare_noise(start, seed, latent.get("batch_index"))
    schedule = comfy.samplers.KSampler(
        model, steps, model.load_device, sampler_name, scheduler, denoise, model.model_options
    )
    samples = guider.sample(
        noise,
        start,
        comfy.samplers.sampler_object(sampler_name),
        schedule.sigmas,
        denoise_mask=latent.get("noise_mask"),
        callback=latent_preview.prepare_callback(model, steps),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        seed=seed,
    )
    home = comfy.model_management.intermediate_device()
    kept = {k: v for k, v in latent.items() if k not in _RATIOS}
    return {**kept, "samples": samples.to(home)}


_RATIOS = ("downscale_ratio_spacial", "downscale_ratio_temporal")
