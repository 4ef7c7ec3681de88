"""What an adapter file is, from the names and shapes of its tensors alone."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...errors import InputError, WeightsError
from .keys import LAYERS, PROJECTION, canonical_names, is_lora, named

Shape = tuple[int, ...]
Family = Literal[
    "base", "full", "plus", "faceid", "faceid_plus", "portrait",
    "flux_xlabs", "flux_instantx", "sd35_instantx",
]  # fmt: skip
Kind = Literal["image_embeds", "penultimate", "pooled", "identity"]
Null = Literal["zero_features", "zero_pixels", "black_picture"]

UNET_LAYERS = {16: "SD1.5", 70: "SDXL"}
PORTRAIT_TOKENS = 16
_ENCODERS: dict[tuple[Kind, int], tuple[str, int | None]] = {
    ("image_embeds", 768): ("CLIP-L", None),
    ("image_embeds", 1024): ("CLIP-H", None),
    ("image_embeds", 1280): ("CLIP-bigG", None),
    ("penultimate", 1024): ("CLIP-L at 336 px", 577),
    ("penultimate", 1280): ("CLIP-H", 257),
    ("penultimate", 1664): ("CLIP-bigG", 257),
    ("penultimate", 1152): ("SigLIP so400m at 384 px", 729),
    ("pooled", 1152): ("SigLIP so400m at 384 px", None),
    ("identity", 512): ("a face recogniser of yours", None),
}


@dataclass(frozen=True)
class Features:
    """What an encoder must give: rows of `width` numbers.

    kind: image_embeds is the projected, not normalised CLIP vector; penultimate the hidden states
    before the last layer, class token included; pooled SigLIP's attention-pooled vector; identity
    a face recogniser's vector.
    tokens: rows for each picture, as far as the encoder is known; None for one vector.
    """

    kind: Kind
    width: int
    encoder: str
    tokens: int | None

    def __str__(self) -> str:
        size = f"{self.tokens}x{self.width}" if self.tokens else f"{self.width}"
        return f"{self.kind} {size} ({self.encoder})"


@dataclass(frozen=True)
class Layout:
    """An adapter file's family and sizes.

    source: the file's name, for messages.
    model: SD1.5, SDXL, Kolors, Flux or SD3.5, from the number of layers; whether the widths fit a
        model that is at hand is for sites.check_fits to say.
    tokens: image tokens for each picture. token_width: theirs. context: what the layers read; the
        two differ only in Kolors FaceID, whose tokens pass through the model's own projection of
        text first.
    widths: layer index -> its width.
    needs: what the projection takes, the identity vector first.
    null: what stands for "no picture". zero_features: zeros in place of the features.
        zero_pixels: the features of zeros in normalised pixel space (a mean-grey picture).
        black_picture: the features of a black picture.
    lora_rank: of the extra weights in FaceID files; 0 without.
    shortcut: FaceID-Plus version 2 adds the identity's tokens to the refined ones. The two
        versions hold the same tensors, so the file's name decides.
    """

    source: str
    family: Family
    model: str
    tokens: int
    token_width: int
    context: int
    widths: Mapping[int, int] = field(compare=False)
    needs: tuple[Features, ...]
    null: Null
    lora_rank: int = 0
    shortcut: bool = False
    shapes: Mapping[str, Shape] = field(default_factory=dict, compare=False, repr=False)

    def shape(self, name: str, dimensions: int) -> Shape:
        """A tensor's shape, or WeightsError if the file lacks it or its shape cannot be."""
        return _shape(self.shapes, name, dimensions, self.source)

    def __str__(self) -> str:
        needs = " and ".join(map(str, self.needs))
        lora = f", LoRA of rank {self.lora_rank}" if self.lora_rank else ""
        version = f" (version {1 + self.shortcut} by its name)" * (self.family == "faceid_plus")
        family = f"{self.family}{version}"
        return f"{family} for {self.model}, {self.tokens} tokens, needs {needs}{lora}"


def detect(shapes: Mapping[str, Shape], source: str) -> Layout:
    """The layout of a file with these tensors.

    Raises WeightsError naming the file and what is wrong: no adapter at all, an unknown
    projection, missing layers, or parts that do not fit each other.
    """
    _check_once(shapes, source)
    found = canonical_names(shapes)
    for prefix in (PROJECTION, LAYERS):
        if not any(name.startswith(prefix) for name in found):
            raise WeightsError(
                f"{source} is no IP-Adapter: none of its {len(shapes)} tensors "
                f"(such as {_examples(shapes)}) begins with {prefix}; choose an IP-Adapter file"
            )
    family = _family(found, source)
    tokens, token_width, needs = _projection(family, found, source)
    widths, context = _layers(found, source)
    model = _model(family, widths, token_width, needs, source)
    if token_width != context and (model, family) != ("Kolors", "faceid_plus"):
        raise WeightsError(
            f"{source} does not fit itself: its image tokens are {token_width} wide, but its "
            f"layers read {context}; download it again, or convert it again from its original"
        )
    lora_rank = _lora_rank(found, widths, source)
    if family == "faceid" and tokens == PORTRAIT_TOKENS and not lora_rank:
        family = "portrait"
    return Layout(
        source, family, model, tokens, token_width, context, widths, needs, _null(family),
        lora_rank, family == "faceid_plus" and "plusv2" in _plain(source),
        {name: shape for name, shape in found.items() if not is_lora(name)},
    )  # fmt: skip


def _check_once(shapes: Mapping[str, Shape], source: str) -> None:
    """WeightsError where two of a file's names are one tensor's of an adapter."""
    first: dict[str, str] = {}
    for name, form in named(shapes).items():
        if first.setdefault(form, name) != name:
            raise WeightsError(
                f"{source} holds {form} twice, as {first[form]} and as {name}; keep one, or "
                "download it again"
            )


def check_features(layout: Layout, kind: Kind, shape: Sequence[int]) -> None:
    """InputError unless features of this shape, (pictures, width) or (pictures, tokens, width),
    are what the adapter was trained on."""
    wanted = next((n for n in layout.needs if n.kind == kind), None)
    if wanted is None:
        raise InputError(
            f"{layout.source} takes {' and '.join(map(str, layout.needs))}, but was given {kind}; "
            "connect what it takes"
        )
    dimensions = 3 if kind == "penultimate" else 2
    if len(shape) != dimensions:
        raise InputError(
            f"{layout.source} needs {wanted} with {dimensions} dimensions, but the features have "
            f"the shape {tuple(shape)}; connect what the encoder gives, unchanged"
        )
    if shape[-1] != wanted.width:
        raise InputError(
            f"{layout.source} needs {wanted}, but the encoder gave features of width "
            f"{shape[-1]}{_known(kind, shape[-1])}; load {wanted.encoder}"
        )
    if layout.family == "full" and shape[1] != layout.tokens:
        raise InputError(
            f"{layout.source} needs {wanted}, but the encoder gave {shape[1]} tokens; "
            f"load {wanted.encoder}"
        )


def _family(found: Mapping[str, Shape], source: str) -> Family:
    marks: list[tuple[str, Family]] = [
        ("ip_adapter.0.norm_ip.linear.weight", "sd35_instantx"),
        ("ip_adapter.0.to_k_ip.bias", "flux_xlabs"),
        ("ip_adapter.0.to_k_ip.weight", "flux_instantx"),
        ("image_proj.proj.weight", "base"),
        ("image_proj.proj.3.weight", "full"),
        ("image_proj.perceiver_resampler.proj_in.weight", "faceid_plus"),
        ("image_proj.norm.weight", "faceid"),
        ("image_proj.latents", "plus"),
    ]
    for name, family in marks:
        if name in found:
            return family
    have = _examples([n for n in found if n.startswith(PROJECTION)])
    raise WeightsError(
        f"{source} has an image projection of unknown form: found {have}, needed one of "
        f"{', '.join(n for n, _ in marks[3:])}; this version cannot use the file"
    )


def _projection(
    family: Family, found: Mapping[str, Shape], source: str
) -> tuple[int, int, tuple[Features, ...]]:
    """Tokens for each picture, their width, and what the projection takes."""

    def at(name: str, dimensions: int = 2) -> Shape:
        return _shape(found, PROJECTION + name, dimensions, source)

    def divided(name: str) -> tuple[int, int]:
        (rows, _), (width,) = at(name), at("norm.weight", 1)
        if rows % width:
            raise WeightsError(
                f"{source} does not fit itself: {PROJECTION}{name} has {rows} rows, which "
                f"{width}, the tokens' width, does not divide; download it again"
            )
        return rows // width, width

    if family in ("base", "flux_xlabs"):
        return *divided("proj.weight"), (_features("image_embeds", at("proj.weight")[1]),)
    if family == "flux_instantx":
        return *divided("proj.2.weight"), (_features("pooled", at("proj.0.weight")[1]),)
    if family == "faceid":
        return *divided("proj.2.weight"), (_features("identity", at("proj.0.weight")[1]),)
    if family == "faceid_plus":
        refined = _features("penultimate", at("perceiver_resampler.proj_in.weight")[1])
        identity = _features("identity", at("proj.0.weight")[1])
        return *divided("proj.2.weight"), (identity, refined)
    if family == "full":
        features = _features("penultimate", at("proj.0.weight")[1])
        return features.tokens or 257, at("proj.3.weight", 1)[0], (features,)
    features = _features("penultimate", at("proj_in.weight")[1])
    return at("latents", 3)[1], at("proj_out.weight")[0], (features,)


def _layers(found: Mapping[str, Shape], source: str) -> tuple[dict[int, int], int]:
    """Each layer's width, and the one width that all of them read."""
    parts: dict[str, dict[int, Shape]] = {"k": {}, "v": {}}
    for name in found:
        if part := re.fullmatch(r"ip_adapter\.(\d+)\.to_([kv])_ip\.weight", name):
            parts[part[2]][int(part[1])] = _shape(found, name, 2, source)
    for here, there in (("k", "v"), ("v", "k")):
        if lonely := sorted(parts[here].keys() - parts[there].keys()):
            raise WeightsError(
                f"{source} is incomplete: layer {lonely[0]} has to_{here}_ip but no to_{there}_ip; "
                "download it again, or convert it again from its original"
            )
    if not parts["k"]:
        raise WeightsError(
            f"{source} has no layers: needed names like ip_adapter.1.to_k_ip.weight, found "
            f"{_examples([n for n in found if n.startswith(LAYERS)])}; choose an IP-Adapter file"
        )
    first = min(parts["k"])
    for index, shape in sorted(parts["k"].items()):
        for other in (parts["v"][index], (shape[0], parts["k"][first][1])):
            if shape != other:
                raise WeightsError(
                    f"{source} does not fit itself: layer {index} is {shape} where {other} is "
                    "needed; download it again, or convert it again from its original"
                )
    return {i: shape[0] for i, shape in sorted(parts["k"].items())}, parts["k"][first][1]


def _model(
    family: Family,
    widths: Mapping[int, int],
    token_width: int,
    needs: tuple[Features, ...],
    source: str,
) -> str:
    if family in ("flux_xlabs", "flux_instantx", "sd35_instantx"):
        wanted = set(range(len(widths)))
        model = "SD3.5" if family == "sd35_instantx" else "Flux"
    else:
        if len(widths) not in UNET_LAYERS:
            said = " or ".join(f"{n} ({m})" for n, m in UNET_LAYERS.items())
            raise WeightsError(
                f"{source} has {len(widths)} layers, needed {said}; it is incomplete, or for a "
                "model that this version does not know: download it again or choose another"
            )
        wanted = set(range(1, 2 * len(widths), 2))
        model = UNET_LAYERS[len(widths)]
        clip = needs[-1]
        if model == "SDXL" and (clip.kind, clip.width) == ("penultimate", 1024):
            model = "Kolors"
    if strange := sorted(widths.keys() - wanted):
        raise WeightsError(
            f"{source} numbers its layers {strange[0]} where {min(wanted - widths.keys())} was "
            "needed; download it again, or convert it again from its original"
        )
    return model


def _lora_rank(found: Mapping[str, Shape], widths: Mapping[int, int], source: str) -> int:
    """The rank of the low-rank weights, of which there are four for each attention, or none."""
    names = {name for name in found if is_lora(name)}
    if not names:
        return 0
    for index in range(2 * len(widths)):
        for part in ("q", "k", "v", "out"):
            for side in ("down", "up"):
                name = f"{LAYERS}{index}.to_{part}_lora.{side}.weight"
                if name not in names:
                    raise WeightsError(f"{source} is incomplete: missing {name}; download it again")
    return _shape(found, f"{LAYERS}0.to_q_lora.down.weight", 2, source)[0]


def _shape(found: Mapping[str, Shape], name: str, dimensions: int, source: str) -> Shape:
    if name not in found:
        raise WeightsError(f"{source} is incomplete: missing {name}; download it again")
    shape = tuple(found[name])
    if len(shape) != dimensions or 0 in shape:
        raise WeightsError(
            f"{source} cannot be used: {name} has the shape {shape}, needed {dimensions} "
            "dimensions above 0; download it again"
        )
    return shape


def _features(kind: Kind, width: int) -> Features:
    encoder, tokens = _ENCODERS.get((kind, width), (f"an encoder of width {width}", None))
    return Features(kind, width, encoder, tokens)


def _known(kind: Kind, width: int) -> str:
    encoder = _ENCODERS.get((kind, width))
    return f" ({encoder[0]})" if encoder else ""


def _null(family: Family) -> Null:
    if family in ("plus", "full", "faceid_plus"):
        return "zero_pixels"
    return "black_picture" if family == "flux_xlabs" else "zero_features"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _examples(names: Mapping[str, Shape] | Sequence[str]) -> str:
    return ", ".join(sorted(names)[:2]) or "none"
