"""The embedded model as an ordinary MODEL, CLIP, VAE and CLIP_VISION, and its encoders as
MMC_ADAPTERS."""

from dataclasses import dataclass
from typing import Any

import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.patcher_extension
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models_base
import torch

from ...mm_core.embedded.autoencoder import CHANNELS, Autoencoder
from ...mm_core.embedded.conditioners import TextEncoder
from ...mm_core.embedded.denoiser import Denoiser, Widths
from ...mm_core.embedded.model import Adapters, EmbeddedModel
from ...mm_core.embedded.vocabulary import PAD, START, TOKENS, WORDS, encode_words, words_of
from ...mm_core.embedded.weights import load_embedded
from .prior.vision import EmbeddedVision

OPS = comfy.ops.manual_cast
NAME = "embedded"


class EmbeddedLatent(comfy.latent_formats.LatentFormat):
    """Whitened 8-channel latents, an eighth of the picture's side."""

    latent_channels = CHANNELS
    scale_factor = 1.0

    def __init__(self, rgb: torch.Tensor):
        super().__init__()
        self.latent_rgb_factors = rgb[:-1].tolist()
        self.latent_rgb_factors_bias = rgb[-1].tolist()


class EmbeddedConfig(comfy.supported_models_base.BASE):
    unet_config = {}  # noqa: RUF012  the host's class attributes
    unet_extra_config = {}  # noqa: RUF012
    latent_format = comfy.latent_formats.LatentFormat
    memory_usage_factor = 0.05
    sampling_settings = {"shift": 1.0, "multiplier": 1000}  # noqa: RUF012


class HostDenoiser(Denoiser):
    """The denoiser in the form the host calls."""

    def __init__(self, widths: Widths, device=None, operations=OPS, **_: Any):
        super().__init__(widths, operations)
        self.dtype = torch.float32
        self.in_channels = CHANNELS  # read by nodes that tell latents from other channels
        if device is not None:
            self.to(device)

    def forward(
        self, x, timesteps, context=None, y=None, control=None, transformer_options=None, **kwargs
    ):
        wrappers = comfy.patcher_extension.get_all_wrappers(
            comfy.patcher_extension.WrappersMP.DIFFUSION_MODEL, transformer_options or {}
        )
        executor = comfy.patcher_extension.WrapperExecutor.new_class_executor(
            self._forward, self, wrappers
        )
        return executor.execute(
            x, timesteps, context, y, control, transformer_options or {}, **kwargs
        )

    def _forward(self, x, timesteps, context, y, control, transformer_options, **kwargs):
        known = {name: kwargs[name] for name in _ROW_INPUTS if name in kwargs}
        return super().forward(x, timesteps, context, **known)


_ROW_INPUTS = (
    "style_tokens", "style_gain", "audio_tokens", "audio_gain", "fine_residual", "coarse_residual"
)  # fmt: skip


class EmbeddedTokenizer:
    """Words to numbers, with ComfyUI's (word:1.3) emphasis."""

    def __init__(self, embedding_directory=None, tokenizer_data=None):
        pass

    def tokenize_with_weights(self, text: str, return_word_ids=False, **_: Any):
        words, weights = [], []
        for part, weight in comfy.sd1_clip.token_weights(text, 1.0):
            found = words_of(part)
            words += found
            weights += [weight] * len(found)
        tokens = encode_words(words)
        weights = [1.0, *weights] + [1.0] * (TOKENS - 1 - len(weights))
        if not return_word_ids:
            return {NAME: [list(zip(tokens, weights, strict=True))]}
        ids = [0] + [i + 1 if i < len(words) else 0 for i in range(TOKENS - 1)]
        return {NAME: [list(zip(tokens, weights, ids, strict=True))]}

    def untokenize(self, token_weight_pair):
        return [(pair, WORDS[pair[0]]) for pair in token_weight_pair]

    def decode(self, token_ids, skip_special_tokens=True):
        return " ".join(WORDS[i] for i in token_ids if i > START)

    def state_dict(self):
        return {}


class EmbeddedText(torch.nn.Module, comfy.sd1_clip.ClipTokenWeightEncoder):
    """The text encoder in the form the host calls."""

    special_tokens = {"start": START, "pad": PAD}  # noqa: RUF012  the host's class attribute

    def __init__(self, device="cpu", dtype=None, model_options=None):
        super().__init__()
        self.encoder = TextEncoder(len(WORDS), TOKENS, ops=OPS)
        self.dtypes = {torch.float32}
        self.device_now = None

    def set_clip_options(self, options):
        self.device_now = options.get("execution_device", self.device_now)

    def reset_clip_options(self):
        self.device_now = None

    def gen_empty_tokens(self, special_tokens, length):
        return [START] + [PAD] * (length - 1)

    def encode(self, tokens):
        out = self.encoder(torch.tensor(tokens, device=self.device_now))
        return out, out[:, 0]

    def encode_token_weights(self, token_weight_pairs):
        return super().encode_token_weights(token_weight_pairs[NAME])

    def load_sd(self, sd):
        return self.load_state_dict(sd, strict=False)


class EmbeddedVAE(comfy.sd.VAE):
    """The autoencoder with everything a VAE of this host version is expected to have."""

    def __init__(self, autoencoder: Autoencoder):
        super().__init__(sd={"pixel_space_vae": torch.tensor(1.0)})
        self.first_stage_model = _FirstStage(autoencoder).eval()
        self.latent_channels, self.latent_dim, self.output_channels = CHANNELS, 2, 3
        self.downscale_ratio = self.upscale_ratio = 8
        self.process_input = lambda image: image
        self.process_output = lambda image: image.clamp_(0.0, 1.0)
        self.memory_used_encode = lambda shape, dtype: 2000 * shape[-2] * shape[-1]
        self.memory_used_decode = lambda shape, dtype: 2000 * 64 * shape[-2] * shape[-1]
        self.working_dtypes = [torch.float32]
        self.vae_dtype = torch.float32
        self.first_stage_model.to(self.vae_dtype)
        self.disable_offload = False
        self.patcher = _patcher(
            self.first_stage_model, self.device, comfy.model_management.vae_offload_device()
        )


class _FirstStage(torch.nn.Module):
    def __init__(self, autoencoder: Autoencoder):
        super().__init__()
        self.autoencoder = autoencoder

    def encode(self, x, **_: Any):
        return self.autoencoder.encode(x)

    def decode(self, z, **_: Any):
        return self.autoencoder.decode(z)


@dataclass(frozen=True)
class HostAdapters:
    """Style and audio encoders and the spatial adapters, under ComfyUI's memory management.

    base is the CONDITIONING of the empty prompt, for graphs without text.
    """

    patcher: Any
    base: Any

    def ready(self) -> tuple[Adapters, torch.device]:
        """The encoders on the device where they run."""
        comfy.model_management.load_models_gpu([self.patcher])
        return self.patcher.model, self.patcher.load_device


def is_embedded(model) -> bool:
    """Whether a MODEL is the embedded one, patched or not."""
    return isinstance(model.model.diffusion_model, HostDenoiser)


def load_embedded_model():
    """MODEL, CLIP, VAE, MMC_ADAPTERS and CLIP_VISION from the files that ship with the pack."""
    embedded, header = load_embedded()
    widths = Widths(**header.config["widths"])
    clip = comfy.sd.CLIP(
        comfy.supported_models_base.ClipTarget(EmbeddedTokenizer, EmbeddedText),
        state_dict={f"encoder.{k}": v for k, v in embedded.text.state_dict().items()},
    )
    adapters = Adapters(widths, OPS)
    adapters.load_state_dict(embedded.adapters.state_dict())
    manage = comfy.model_management
    patcher = _patcher(adapters.eval(), manage.get_torch_device(), manage.unet_offload_device())
    base = clip.encode_from_tokens_scheduled(clip.tokenize(""))
    encoders = HostAdapters(patcher, base)
    vision = EmbeddedVision(encoders)
    return _model(embedded, widths), clip, _vae(embedded), encoders, vision


def _model(embedded: EmbeddedModel, widths: Widths, disable_dynamic: bool = False):
    config = EmbeddedConfig({"widths": widths})
    config.latent_format = EmbeddedLatent(embedded.autoencoder.preview_factors())
    config.set_inference_dtype(torch.float32, None)
    config.custom_operations = OPS
    model = comfy.model_base.BaseModel(
        config, model_type=comfy.model_base.ModelType.FLOW, unet_model=HostDenoiser
    )
    manage = comfy.model_management
    patcher = _patcher(
        model, manage.get_torch_device(), manage.unet_offload_device(), disable_dynamic
    )
    state = embedded.denoiser.state_dict()
    model.load_model_weights(dict(state), "", assign=_dynamic(patcher))
    # Multi-GPU clones and hooks make a second copy from this.
    patcher.cached_patcher_init = (_reload, ())
    return patcher


def _reload(disable_dynamic: bool = False):
    embedded, header = load_embedded()
    return _model(embedded, Widths(**header.config["widths"]), disable_dynamic)


def _vae(embedded: EmbeddedModel) -> EmbeddedVAE:
    autoencoder = Autoencoder(ops=OPS)
    autoencoder.load_state_dict(embedded.autoencoder.state_dict())
    return EmbeddedVAE(autoencoder)


def _patcher(model, load_device, offload_device, disable_dynamic: bool = False):
    # Looked up at call time: the host rebinds CoreModelPatcher when it starts.
    core = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
    cls = comfy.model_patcher.ModelPatcher if disable_dynamic else core
    return cls(model, load_device=load_device, offload_device=offload_device)


def _dynamic(patcher) -> bool:
    return getattr(patcher, "is_dynamic", lambda: False)()
