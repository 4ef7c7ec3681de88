"""Text -> tokens and a vector, by the text half of CLIP, SigLIP or CLAP, by T5 or BERT."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import InputError
from ..types import ModalityEmbedding, Tensor
from .encoder import Encoding, Kind, Tick, no_tick
from .family import Family
from .folder import half_config, load_model, load_processor
from .forward import forward, side_by_side

_log = logging.getLogger(__name__)
UNSAID = 512  # tokens read where neither tokenizer nor model names a limit, as T5 was trained


@dataclass(eq=False)
class TextEncoder:
    """Texts, each encoded alone, so that they never influence each other.

    longest: tokens read of a text, with those that begin and end it; what is beyond is left out
    and logged. vector: takes what the network gives, and says what stands for the whole text.
    padded: whether the network was trained on texts filled up to longest, and hears the filling.
    """

    name: str
    family: str
    width: int | None
    module: nn.Module
    tokenizer: Any
    longest: int
    vector: Callable[[Any], Tensor | None]
    padded: bool = False
    kind: Kind = "text"
    needs: str = "a text, or several"

    def __call__(self, given: Any, tick: Tick = no_tick) -> Encoding:
        """given: a text, or a list of them. Tokens of padding are zero."""
        texts = [given] if isinstance(given, str) else list(given)
        if not texts or not all(isinstance(text, str) for text in texts):
            raise InputError(f"found {type(given).__name__} of something else, needed {self.needs}")
        tokens, vectors = [], []
        for i, text in enumerate(texts):
            out, real = self._hear(text)
            tokens.append(out.last_hidden_state[:, real].float())
            vectors.append(self.vector(out))
            tick(i + 1, len(texts))
        said, mask = side_by_side(tokens)
        found = [v.float() for v in vectors if v is not None]
        return Encoding(
            embedding=ModalityEmbedding("text", said, mask),
            vector=torch.cat(found) if found else None,
        )

    def _hear(self, text: str) -> tuple[Any, Tensor]:
        """What the network gives for one text, and which of its tokens are the text's own."""
        whole = len(self.tokenizer(text, verbose=False)["input_ids"])
        if whole > self.longest:
            _log.warning(
                "%s reads %d tokens; the last %d of the text are not heard",
                self.name, self.longest, whole - self.longest,
            )  # fmt: skip
        given = self.tokenizer(
            text, truncation=True, max_length=self.longest, return_attention_mask=True,
            padding="max_length" if self.padded else False, return_tensors="pt",
        )  # fmt: skip
        names = ("input_ids",) if self.padded else ("input_ids", "attention_mask")
        # Some tokenizers fill up before the text, not after it.
        real = given["attention_mask"][0].bool()
        return forward(self.module, {name: given[name] for name in names}), real


def _open(
    folder: Path,
    family: Family,
    dtype: torch.dtype,
    vector: Callable[[Any], Tensor | None],
    whole: str = "",
    padded: bool = False,
    **options: Any,
) -> TextEncoder:
    """whole: the config class of a folder that holds a picture or sound half, too."""
    if whole:
        options |= half_config(folder, whole, "text_config")
    module = load_model(family.class_name, folder, dtype, family.since, **options)
    config: Any = module.config
    tokenizer = load_processor("text", folder)
    return TextEncoder(
        folder.name, family.name, config.hidden_size, module, tokenizer,
        _longest(tokenizer, config), vector, padded,
    )  # fmt: skip


def _longest(tokenizer: Any, config: Any) -> int:
    positions = getattr(config, "max_position_embeddings", None) or UNSAID
    if config.model_type == "clap_text_model":  # as in RoBERTa, positions begin after the padding's
        positions -= config.pad_token_id + 1
    return min(tokenizer.model_max_length, positions)


def _projected(out: Any) -> Tensor:
    return out.text_embeds


def _pooled(out: Any) -> Tensor:
    return out.pooler_output


def _mean(out: Any) -> Tensor:
    return out.last_hidden_state.mean(1)


def _none(out: Any) -> None:
    return None


FAMILIES = (
    Family(
        name="CLIP text, without projection",
        kind="text",
        model_types=("clip_text_model",),
        architectures=("CLIPTextModel",),
        class_name="CLIPTextModel",
        gives="a token for each piece of the text, up to 77; a vector at the end of the text",
        unit="last layer, normed; vector not L2-normalised",
        good_for="prompts of SD1.5-like models; what one token means",
        load=partial(_open, vector=_pooled),
    ),
    Family(
        name="CLIP text",
        kind="text",
        model_types=("clip", "clip_text_model"),
        class_name="CLIPTextModelWithProjection",
        gives="a token for each piece of the text, up to 77; a projected vector",
        unit="last layer, normed; vector not L2-normalised, in the space of CLIP pictures",
        good_for="comparing texts with pictures; priors and image prompts; short prompts",
        load=partial(_open, vector=_projected, whole="CLIPConfig"),
    ),
    Family(
        name="SigLIP text",
        kind="text",
        model_types=("siglip", "siglip_text_model"),
        class_name="SiglipTextModel",
        gives="a token for each piece of the text, up to 64; a vector",
        unit="last layer, normed; vector not L2-normalised, in the space of SigLIP pictures",
        good_for="comparing texts with pictures",
        load=partial(_open, vector=_pooled, whole="SiglipConfig", padded=True),
    ),
    Family(
        name="SigLIP 2 text, NaFlex",
        kind="text",
        model_types=("siglip2", "siglip2_text_model"),
        class_name="Siglip2TextModel",
        gives="a token for each piece of the text, up to 64; a vector",
        unit="last layer, normed; vector not L2-normalised, in the space of SigLIP 2 pictures",
        good_for="comparing texts in many languages with pictures; it was trained on lower case",
        load=partial(_open, vector=_pooled, whole="Siglip2Config", padded=True),
    ),
    Family(
        name="CLAP text",
        kind="text",
        model_types=("clap", "clap_text_model"),
        class_name="ClapTextModelWithProjection",
        gives="a token for each piece of the text; a projected vector",
        unit="last layer, normed; vector not L2-normalised, in the space of CLAP sounds",
        good_for="comparing texts with sounds",
        load=partial(_open, vector=_projected, whole="ClapConfig"),
    ),
    *(
        Family(
            name=name,
            kind="text",
            model_types=(name.lower(),),
            class_name=f"{name}EncoderModel",
            gives="a token for each piece of the text; no vector",
            unit="last layer, normed",
            good_for=good_for,
            load=partial(_open, vector=_none),
        )
        for name, good_for in (
            ("T5", "long prompts; who does what to whom"),
            ("UMT5", "long prompts in many languages"),
        )
    ),
    Family(
        name="BERT",
        kind="text",
        model_types=("bert",),
        class_name="BertModel",
        gives="a token for each piece of the text, up to 512; the mean of them as a vector",
        unit="last layer, normed; vector not L2-normalised",
        good_for="sentence embeddings; small text models",
        load=partial(_open, vector=_mean, add_pooling_layer=False),
    ),
)
