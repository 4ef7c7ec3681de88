"""Guider and sampler: modalities to a guided result."""

from comfy_api.latest import io

from ..mm_core.guidance.presets import PRESETS
from .host.make import GuiderReport, make_guider, run_report
from .host.sample import sample_with
from .host.sent import refuse_cut_off
from .sockets import Preset, Report, choices_of, effort_inputs, guidance_inputs, sampling_inputs

SENT_ALONG = [io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo]


class Guider(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Guider",
            display_name="Multimodal Guider",
            category="multimodal/guide",
            description="Any number of inputs, each with its own guidance weight, as a GUIDER for "
            "SamplerCustomAdvanced.",
            search_aliases=["multi cfg", "dual cfg", "guidance"],
            inputs=[*guidance_inputs(), *effort_inputs()],
            outputs=[
                io.Guider.Output(display_name="guider"),
                Report.Output(
                    display_name="report",
                    tooltip="Which rows the network runs at which part of "
                    "sampling, and how they add up.",
                ),
            ],
            hidden=SENT_ALONG,
        )

    @classmethod
    def execute(cls, model, modalities=None, **choices) -> io.NodeOutput:
        refuse_cut_off(cls.hidden)
        guider = make_guider(model, modalities, choices_of(**choices))
        return io.NodeOutput(guider, GuiderReport(guider))


class KSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_KSampler",
            display_name="Multimodal KSampler",
            category="multimodal/guide",
            description="KSampler with any number of inputs, each with its own guidance weight.",
            search_aliases=["multi cfg", "sampler", "multi guidance"],
            inputs=[
                *guidance_inputs(),
                *sampling_inputs(
                    seed="Seed of the starting noise, 0 to 2^64 - 1. The same seed gives the same "
                    "picture.",
                    denoise="Below 1 the latent's picture shows through.",
                    latent="Where to start: an empty latent for a new picture, or an encoded "
                    "picture, with or without a mask.",
                ),
                *effort_inputs(),
            ],
            outputs=[
                io.Latent.Output(display_name="latent"),
                Report.Output(
                    display_name="report",
                    tooltip="Which rows the network ran, how they added "
                    "up, and how many there were.",
                ),
            ],
            hidden=SENT_ALONG,
        )

    @classmethod
    def execute(
        cls, model, seed, steps, sampler_name, scheduler, denoise, latent_image,
        modalities=None, **choices,
    ) -> io.NodeOutput:  # fmt: skip
        refuse_cut_off(cls.hidden)
        guider = make_guider(model, modalities, choices_of(**choices))
        latent = sample_with(guider, seed, steps, sampler_name, scheduler, denoise, latent_image)
        return io.NodeOutput(latent, run_report(guider))


class GuidancePreset(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMC_Preset",
            display_name="Guidance Preset",
            category="multimodal/guide",
            description="Ready weights for common sets of inputs, and the sums of known systems "
            "term for term.",
            search_aliases=["guidance scale", "weights", "instructpix2pix", "dual cfg"],
            inputs=[
                io.Combo.Input(
                    "preset",
                    options=list(PRESETS),
                    default="everything",
                    tooltip="The first six set the weights of the inputs they name and leave "
                    "others alone. The rest are known systems: they need just the inputs of their "
                    "sum, by name or in the order connected; see the help page.",
                )
            ],
            outputs=[
                Preset.Output(display_name="preset", tooltip="Connect it to guider or sampler."),
                io.String.Output(
                    display_name="about", tooltip="Composition, weights and where they are from."
                ),
            ],
        )

    @classmethod
    def execute(cls, preset) -> io.NodeOutput:
        chosen = PRESETS[preset]
        return io.NodeOutput(chosen, chosen.about)
