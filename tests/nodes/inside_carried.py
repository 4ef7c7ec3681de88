"""Run by the host's Python from the host's folder: two prompts, one of which carries something, in
either order, against a sum of the host's own predictions made by hand.

Prints JSON. One Euler step to zero noise leaves the guided prediction as the latent, so that sums
of latents are sums of predictions. By hand: what row sees which prompt is written down here, entry
by entry, and sampled by the host's KSampler at a cfg of 1.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parent))

import inside  # noqa: F401, I001  first: it makes the rest importable
import comfy.conds
import comfy.model_base
import comfy.samplers
import node_helpers
import nodes as host_nodes
import torch
import probe_models
import probe_nodes
from mmc_pack.mm_core.errors import InputError
from mmc_pack.mm_core.types import NULL, Modality
from mmc_pack.nodes.host import modality as inputs
from mmc_pack.nodes.host.effects import EMPTY, NAMED, ZEROS, HostModality, TextEffect
from mmc_pack.nodes.host.make import Choices, make_guider
from mmc_pack.nodes.host.modality import Guidance
from mmc_pack.nodes.host.rows import Inputs, row_conditioning
from mmc_pack.nodes.host.sample import sample_with
from tiny import config, control_net, filled, off, random, words

WEIGHTS = {"a": 3.0, "b": 2.0}


def inpainting():
    """A UNet that reads a picture and a mask beside the latent, as SD 1.5 inpainting does."""
    model = comfy.model_base.BaseModel(config(in_channels=9))
    model.set_inpaint()
    return filled(model)


def unclip():
    """A UNet that reads the embeddings of pictures, as SD 2.1 unCLIP does."""
    model = comfy.model_base.SD21UNCLIP(
        config(num_classes="sequential", adm_in_channels=64),
        {
            "noise_schedule_config": {"timesteps": 1000, "beta_schedule": "squaredcos_cap_v2"},
            "timestep_dim": 32,
        },
        comfy.model_base.ModelType.EPS,
    )
    return filled(model)


class Hearing(comfy.model_base.BaseModel):
    """A UNet that reads a sound as one more token, where the host's large models have an input."""

    def extra_conds(self, **kwargs):
        out = super().extra_conds(**kwargs)
        sound = kwargs.get("audio_embed")
        if sound is not None:
            tokens = torch.cat([kwargs["cross_attn"], sound], 1)
            out["c_crossattn"] = comfy.conds.CONDCrossAttn(tokens)
        return out


def sound():
    return filled(Hearing(config()))


def unet():
    return probe_nodes.ProbeModel().make()[0]


def flux():
    return probe_models.ProbeDiT().make()[0]


def control(seed):
    hint = random(seed, 1, 3, 128, 128).sigmoid()
    return control_net(seed).set_cond_hint(hint, 1.0, (0.0, 1.0))


def clip_vision(seed):
    return SimpleNamespace(image_embeds=random(seed, 1, 32))


def boxes(conditioning):
    return probe_models.ProbeBoxes().add(conditioning)[0]


def hooked(model, conditioning):
    group = probe_models.ProbeHook().make(model=model)[0]
    return [[t, {**o, "hooks": group}] for t, o in conditioning]


def with_values(**values):
    return lambda model, conditioning: node_helpers.conditioning_set_values(conditioning, values)


def ranged(start, end):
    return lambda model, conditioning: host_nodes.ConditioningSetTimestepRange().set_range(
        conditioning, start, end
    )[0]


def masked(cells):
    """The left half of a latent of 16 x 16, by a mask."""
    mask = torch.zeros(1, 128, 128)
    mask[:, :, :64] = 1.0
    return {"mask": mask, "mask_strength": 1.0, "set_area_to_bounds": cells}


LEFT = {"area": (16, 8, 0, 0), "strength": 1.0}
PICTURE = random(31, 1, 4, 16, 16)
REFERENCE = random(32, 1, 16, 16, 16)

CARRIED = {  # name: the model, and how a prompt gets it
    "a ControlNet": (unet, with_values(control=control(21))),
    "a ControlNet of Apply ControlNet": (
        unet, with_values(control=control(21), control_apply_to_uncond=True)
    ),
    "inpainting": (
        inpainting,
        with_values(concat_latent_image=PICTURE, concat_mask=(random(33, 1, 1, 16, 16) > 0) * 1.0),
    ),
    "a reference latent": (flux, with_values(reference_latents=[REFERENCE])),
    "a hook": (unet, hooked),
    "boxes": (unet, lambda model, conditioning: boxes(conditioning)),
    "unCLIP": (
        unclip,
        with_values(
            unclip_conditioning=[
                {"clip_vision_output": clip_vision(34), "strength": 1.0, "noise_augmentation": 0.0}
            ]
        ),
    ),
    "a sound": (sound, with_values(audio_embed=2 * random(35, 1, 1, 128))),
    "a range from the start": (unet, ranged(0.0, 0.5)),
    "a range from the middle": (unet, ranged(0.5, 1.0)),
    "an area": (unet, with_values(**LEFT)),
    "a mask": (unet, with_values(**masked(False))),
    "a mask that bounds an area": (unet, with_values(**masked(True))),
}  # fmt: skip


def latent_of(model):
    channels = model.model.latent_format.latent_channels
    return {"samples": torch.zeros(1, channels, 16, 16)}


def options_of(model):
    """Of every prompt of a family: Flux reads a pooled vector, the same here for all."""
    return (
        {"pooled_output": random(40, 1, 128)}
        if model.model.latent_format.latent_channels == 16
        else {}
    )


def predicted(model, positive, negative):
    """The host's own prediction of one CONDITIONING."""
    with torch.inference_mode():
        return host_nodes.KSampler().sample(
            model, 5, 1, 1.0, "euler", "simple", positive, negative, latent_of(model), 1.0
        )[0]["samples"]


def ours(model, given, steps=1, composition="leave_one_out"):
    made = {
        str(k): inputs.condition(present, absent, name, Guidance(WEIGHTS[name]))
        for k, (name, present, absent) in enumerate(given)
    }
    guider = make_guider(model, made, Choices(composition, 1.0))
    with torch.inference_mode():
        return sample_with(guider, 5, steps, "euler", "simple", 1.0, latent_of(model))["samples"]


def rows_by_hand(name, plain, carrying, nothing):
    """CONDITIONING of the rows that see both, b alone and a alone."""
    (tokens, shared), (other, options) = plain[0], carrying[0]
    both = [[torch.cat([tokens, other], 1), {**shared, **options}]]
    if name == "a range from the middle":  # b is not there yet
        return plain, None, plain
    if name in ("an area", "a mask that bounds an area"):
        # Rows are compared on equal pieces: where one has an area, so has the other.
        where = dict(LEFT) if name == "an area" else {**LEFT, **masked(False)}
        by_default = {**shared, "default": True}
        left = [torch.cat([tokens, other], 1), {**shared, **where}]
        return (
            [left, [tokens, by_default]],
            [[other, {**shared, **where}], [nothing[0][0], by_default]],
            [[tokens, shared], [tokens, {**shared, **where}]],
        )
    if name == "a mask":
        by_default = {**shared, "default": True}
        return [*both, [tokens, by_default]], [*carrying, [nothing[0][0], by_default]], plain
    return both, carrying, plain


def case(name):
    make, carry = CARRIED[name]
    model = make()
    more = options_of(model)
    plain, bare, nothing = words(1, **more), words(2, **more), words(9, **more)
    carrying = carry(model, bare)
    joint, alone, rest = (
        None if row is None else predicted(model, row, nothing)
        for row in rows_by_hand(name, plain, carrying, nothing)
    )
    if alone is None:
        none = predicted(model, nothing, nothing)
        wanted = joint + (WEIGHTS["a"] - 1) * (joint - none)
    else:
        wanted = joint + (WEIGHTS["a"] - 1) * (joint - alone) + (WEIGHTS["b"] - 1) * (joint - rest)
    one, other = ("a", plain, nothing), ("b", carrying, nothing)
    without = ours(model, [one, ("b", bare, nothing)])
    several = {
        composition: off(
            ours(model, [other, one], 4, composition), ours(model, [one, other], 4, composition)
        )
        for composition in ("leave_one_out", "independent", "joint", "weighted_negative")
    }
    return {
        "first": off(ours(model, [other, one]), wanted),
        "last": off(ours(model, [one, other]), wanted),
        "effect": off(without, wanted),
        "orders": several,
    }


def refused(key, one, two):
    """What is said where both prompts carry one thing of which a row can hold one."""
    model = unet()
    given = [
        (name, node_helpers.conditioning_set_values(words(k), {key: value}), words(9))
        for k, (name, value) in enumerate((("a", one), ("b", two)), 1)
    ]
    said = []
    for order in (given, given[::-1]):
        try:
            ours(model, order)
            said.append("")
        except InputError as error:
            said.append(str(error))
    return said


def both(key, values, by_hand):
    """Both prompts carry one: a row that sees both, by hand."""
    make = flux if key == "reference_latents" else unclip if key == "unclip_conditioning" else unet
    model = make()
    more = options_of(model)
    a, b = (
        node_helpers.conditioning_set_values(words(k, **more), {key: value})
        for k, value in enumerate(values, 1)
    )
    nothing = words(9, **more)
    joint = [[torch.cat([a[0][0], b[0][0]], 1), {**a[0][1], key: by_hand}]]
    wanted = predicted(model, joint, nothing)
    made = {
        str(k): inputs.condition(present, nothing, name, Guidance(1.0))
        for k, (name, present) in enumerate((("a", a), ("b", b)))
    }
    guider = make_guider(model, made, Choices("leave_one_out", 1.0))
    with torch.inference_mode():
        found = sample_with(guider, 5, 1, "euler", "simple", 1.0, latent_of(model))["samples"]
    return off(found, wanted)


def two_controls():
    """Both carry a ControlNet: the row that sees both has both, as a chain of the two has."""
    model, nothing = unet(), words(9)
    first, second = control(21), control(22)
    chain = control(22).set_previous_controlnet(control(21))
    return two(model, nothing, {"control": first}, {"control": second}, {"control": chain})


def two(model, nothing, one, other, joint):
    a, b = words(1, **one), words(2, **other)
    made = {
        str(k): inputs.condition(present, nothing, name, Guidance(1.0))
        for k, (name, present) in enumerate((("a", a), ("b", b)))
    }
    wanted = predicted(model, [[torch.cat([a[0][0], b[0][0]], 1), joint]], nothing)
    guider = make_guider(model, made, Choices("leave_one_out", 1.0))
    with torch.inference_mode():
        found = sample_with(guider, 5, 1, "euler", "simple", 1.0, latent_of(model))["samples"]
    return off(found, wanted)


def pooled():
    """Prompts with a pooled vector each: a row that sees both has the mean."""
    model = flux()
    one, other = random(41, 1, 128), random(42, 1, 128)
    nothing = words(9, pooled_output=random(40, 1, 128))
    return two(
        model, nothing, {"pooled_output": one}, {"pooled_output": other},
        {"pooled_output": (one + other) / 2},
    )  # fmt: skip


def a_prompt_each(model, other, added=None):
    """Two pictures with a prompt each, beside one prompt for both, or what was added to it: each
    picture as if alone."""
    more = options_of(model)
    nothing, each = words(9, **more), 2 * random(51, 2, 7, 128)

    def run(present, noise):
        made = {
            "0": inputs.condition(present, nothing, "b", Guidance(2.0)),
            "1": inputs.condition(*(added(words(3, **more)) if added else (other, nothing)), "a",
                                  Guidance(3.0)),
        }  # fmt: skip
        guider = make_guider(model, made, Choices("leave_one_out", 1.0))
        sampler = comfy.samplers.sampler_object("euler")
        with torch.inference_mode():
            return guider.sample(
                noise, torch.zeros_like(noise), sampler, torch.tensor([0.9, 0.5, 0.0]), seed=1
            )

    noise = random(60, 2, *latent_of(model)["samples"].shape[1:])
    together = run([[each, more]], noise)
    alone = [run([[each[k : k + 1], more]], noise[k : k + 1]) for k in range(2)]
    return off(together, torch.cat(alone))


def redux(conditioning):
    """What core's Apply Style Model makes of a prompt, at half its strength; and the prompt."""
    model = SimpleNamespace(get_cond=lambda given: given)
    return host_nodes.StyleModelApply().apply_stylemodel(
        conditioning, model, random(52, 1, 9, 128), 0.5, "attn_bias"
    )[0], conditioning


def combined(*conditionings):
    return [entry for conditioning in conditionings for entry in conditioning]


def as_ksampler():
    """One prompt and what is on it, against the host's KSampler: how far the latents are apart."""
    model, dit = unet(), flux()
    one, other, nothing = words(1), words(2), words(9)
    halves = combined(ranged(0.0, 0.5)(None, nothing), ranged(0.5, 1.0)(None, words(8)))
    legacy = with_values(control=control(21), control_apply_to_uncond=True)
    bounds, left = with_values(**masked(True)), with_values(**LEFT)
    vector = {"pooled_output": random(40, 1, 128)}
    pairs = {
        "two negatives": (model, one, combined(nothing, other)),
        "negatives with ranges": (model, one, halves),
        "a negative that ends": (model, one, ranged(0.0, 0.5)(None, nothing)),
        "Apply ControlNet, one negative": (model, legacy(None, one), nothing),
        "Apply ControlNet, two negatives": (model, legacy(None, one), combined(nothing, other)),
        "Apply ControlNet, negatives with ranges": (model, legacy(None, one), halves),
        "Apply ControlNet, a negative with its own": (
            model, legacy(None, one),
            combined(with_values(control=control(22))(None, nothing), other),
        ),
        "two of Apply ControlNet, one negative": (
            model, combined(legacy(None, one), with_values(control=control(22),
            control_apply_to_uncond=True)(None, other)), nothing,
        ),
        "boxes, two negatives": (model, boxes(one), combined(nothing, other)),
        "a ControlNet in an area": (model, combined(left(None, legacy(None, one)), other), nothing),
        "a ControlNet under a mask": (
            model, combined(bounds(None, legacy(None, one)), other), nothing
        ),
        "boxes under a mask": (model, combined(bounds(None, boxes(one)), other), nothing),
        "a mask that bounds a negative": (model, one, combined(bounds(None, nothing), other)),
        "areas on both sides": (
            model, combined(left(None, one), other),
            combined(with_values(area=(8, 16, 8, 0), strength=0.7)(None, nothing), words(8)),
        ),
        "references in an area": (
            dit,
            combined(left(None, words(1, **vector, reference_latents=[REFERENCE])),
                     words(2, **vector)),
            words(9, **vector),
        ),
    }  # fmt: skip
    out = {}
    for name, (network, positive, negative) in pairs.items():
        latent = latent_of(network)
        guider = make_guider(
            network,
            {"0": inputs.condition(positive, negative, "text", Guidance(5.0))},
            Choices("leave_one_out", 1.0),
        )
        with torch.inference_mode():
            (wanted,) = host_nodes.KSampler().sample(
                network, 5, 4, 5.0, "euler", "simple", positive, negative, latent, 1.0
            )
            found = sample_with(guider, 5, 4, "euler", "simple", 1.0, latent)
            again = sample_with(guider, 5, 4, "euler", "simple", 1.0, latent)
        found, again = found["samples"], again["samples"]
        out[name] = off(found, wanted["samples"]), bool(torch.equal(found, again))
    return out


def sizes():
    """One guider with a mask that bounds an area, for latents of two sizes in turn: each as if it
    were the only one."""
    model, nothing = unet(), words(9)
    present = with_values(**masked(True))(model, words(1))

    def guider():
        made = {
            "0": inputs.condition(words(2), nothing, "a", Guidance(3.0)),
            "1": inputs.condition(present, nothing, "b", Guidance(2.0)),
        }
        return make_guider(model, made, Choices("leave_one_out", 1.0))

    def drawn(which, side):
        latent = {"samples": torch.zeros(1, 4, side, side)}
        with torch.inference_mode():
            return sample_with(which, 5, 2, "euler", "simple", 1.0, latent)["samples"]

    kept = guider()
    return [off(drawn(kept, side), drawn(guider(), side)) for side in (16, 24, 16)]


def negatives():
    """What rows without any prompt read, for negatives of two prompts in either order: tokens."""
    ugly, blurry, empty = words(61), words(62), words(63)
    given = {
        "the same": ((ugly, NAMED), (ugly, NAMED)), "two": ((ugly, NAMED), (blurry, NAMED)),
        "one, and none": ((ugly, NAMED), (empty, EMPTY)),
        "zeros, and none": ((words(64), ZEROS), (empty, EMPTY)),
        "with and without a ControlNet": (
            (with_values(control=control(21))(None, ugly), NAMED), (ugly, NAMED)
        ),
    }  # fmt: skip
    wanted = {
        "the same": [61], "two": [61, 62], "one, and none": [61], "zeros, and none": [63],
        "with and without a ControlNet": [61],
    }  # fmt: skip
    out = {}
    for name, pair in given.items():
        out[name] = []
        for order in (pair, pair[::-1]):
            made = [
                HostModality(Modality(f"text {k}"), TextEffect(words(k), absent, known))
                for k, (absent, known) in enumerate(order)
            ]
            ((tokens, options), asked), *more = (
                ((t, o), a) for (t, o), a in row_conditioning(NULL, Inputs.of(made))
            )
            expected = {float(2 * random(s, 1, 7, 128).sum()) for s in wanted[name]}
            parts = {float(part.sum()) for part in tokens.split(7, 1)}
            out[name].append(
                parts == expected and not more and not asked.gains and "control" not in options
            )
    return out


def said_by(model, *given):
    """What a guider says of inputs; nothing where it is made."""
    made = {
        str(k): inputs.condition(present, absent, name, Guidance(2.0))
        for k, (name, present, absent) in enumerate(given)
    }
    try:
        make_guider(model, made, Choices("leave_one_out", 1.0))
    except InputError as error:
        return str(error)
    return ""


def additions():
    """What native nodes added behind a prompt, as an input of its own."""
    model, nothing, text = unet(), words(9), words(1)
    first, second = control(21), control(22)
    chain = control(22).set_previous_controlnet(first)

    def on(prompt, **options):
        return [[tokens, {**o, **options}] for tokens, o in prompt]

    def chained(*given):
        made = {
            str(k): inputs.condition(present, absent, name, Guidance(1.0))
            for k, (name, present, absent) in enumerate(given)
        }
        guider = make_guider(model, made, Choices("leave_one_out", 1.0))
        with torch.inference_mode():
            return sample_with(guider, 5, 1, "euler", "simple", 1.0, latent_of(model))["samples"]

    other = on(words(3), control=second)
    of_both = [[torch.cat([text[0][0], other[0][0]], 1), {"control": chain}]]
    two_texts = words(1), words(3)
    mask = torch.zeros(1, 8, 8)
    return {
        "its own prompt": off(
            chained(("a", on(text, control=first), nothing),
                    ("b", on(text, control=chain), on(text, control=first))),
            predicted(model, on(text, control=chain), nothing),
        ),
        "another prompt, with a ControlNet of its own": off(
            chained(("a", text, nothing), ("c", other, nothing),
                    ("b", on(text, control=first), text)),
            predicted(model, of_both, nothing),
        ),
        "refused": {
            "inpainting twice": "both carry an inpainting picture" in said_by(
                model, ("a", text, nothing),
                ("b", on(text, concat_latent_image=PICTURE), text),
                ("c", on(text, concat_latent_image=PICTURE + 1), text),
            ),
            "another chain": "another ControlNet than absent" in _refusal(
                lambda: inputs.condition(
                    on(text, control=first), on(text, control=second), "b", Guidance(1.0)
                )
            ),
            "a mask of its own": "changes the attention mask of its own prompt" in said_by(
                model, ("a", two_texts[0], nothing), ("c", two_texts[1], nothing),
                ("b", on(text, attention_mask=mask), text),
            ),
        },
    }  # fmt: skip


def _refusal(make):
    try:
        make()
    except InputError as error:
        return str(error)
    return ""


def picture_encoders():
    """Prompts whose tokens change with their pictures, as of Qwen-Image-Edit."""
    nothing = words(9)
    model = probe_models.ProbeDiT().make()[0]
    model.model.__class__ = type("Probe", (comfy.model_base.QwenImage,), {})

    def seeing(seed, length, *references):
        return words(seed, length, reference_latents=list(references))

    text, one = words(1), seeing(2, 9, REFERENCE)
    two = seeing(3, 11, REFERENCE, REFERENCE + 1)
    return {
        "refused": [
            said_by(model, ("text", text, nothing), ("one", one, text), ("two", two, one)),
            said_by(model, ("one", one, nothing), ("two", two, nothing)),
            said_by(model, ("two", two, nothing), ("text", text, nothing)),
            said_by(unet(), ("text", text, nothing), ("one", one, text)),
        ],
        "runs": [
            said_by(model, ("all", two, nothing)),
            said_by(model, ("text", text, nothing), ("other", words(4), nothing)),
        ],
    }


def main():
    one = {"clip_vision_output": clip_vision(34), "strength": 1.0, "noise_augmentation": 0.0}
    told = {
        "cases": {name: case(name) for name in CARRIED},
        "refused": {
            "concat_latent_image": refused("concat_latent_image", PICTURE, PICTURE + 1),
            "guidance": refused("guidance", 3.5, 2.0),
            "audio_embed": refused("audio_embed", PICTURE, PICTURE + 1),
            "area": refused("area", (16, 8, 0, 0), (16, 8, 0, 8)),
        },
        "both": {
            "references": both(
                "reference_latents", ([REFERENCE], [REFERENCE + 1]), [REFERENCE, REFERENCE + 1]
            ),
            "one shared reference": both(
                "reference_latents", ([REFERENCE], [REFERENCE]), [REFERENCE]
            ),
            "one shared picture": both("unclip_conditioning", ([one], [one]), [one]),
            "ControlNets": two_controls(),
            "pooled vectors": pooled(),
        },
        "a prompt each": {
            "beside a second text": a_prompt_each(unet(), words(3)),
            "beside Redux": a_prompt_each(flux(), None, redux),
        },
        "additions": additions(),
        "picture encoders": picture_encoders(),
        "as KSampler": as_ksampler(),
        "sizes": sizes(),
        "negatives": negatives(),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
