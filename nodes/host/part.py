"""An entry of a CONDITIONING, with the ControlNets it carries; where and when entries act."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import comfy.samplers
import torch

from ...mm_core.types import Window

PLACED = ("area", "mask", "mask_strength", "set_area_to_bounds", "strength", "default")
RANGE = ("start_percent", "end_percent")
CLIP_RANGE = ("clip_start_percent", "clip_end_percent")
CARRIED = ("control", "control_apply_to_uncond", "gligen", "hooks")
"""What the host's sampling itself reads of an entry, beside where and when it acts. All other
options are the network's."""

NEARLY = 1e-4  # the host leaves gaps of a tenth of this between ranges that meet

Ranges = Sequence[tuple[float, float]]
"""Shares of sampling from and to which each entry of a CONDITIONING is active. None: all of it."""


@dataclass(frozen=True)
class Part:
    """One entry: tokens (b, n, d), options but for ControlNets, and the chains of ControlNets by
    a key of each. owners: which input an option is from."""

    tokens: Any
    options: Mapping[str, Any]
    controls: Mapping[Hashable, Any] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entry, name: str = "") -> "Part":
        tokens, options = entry
        kept = {k: v for k, v in options.items() if k != "control"}
        control = options.get("control")
        controls = {} if control is None else {id(control): control}
        return cls(tokens, kept, controls, dict.fromkeys(options, name))

    def at(self, where: Mapping[str, Any]) -> "Part":
        """The same in another place or at other times."""
        rest = without(self.options, (*PLACED, *RANGE, *CLIP_RANGE))
        return replace(self, options={**rest, **where})

    @property
    def place(self) -> dict[str, Any]:
        """Where and when it acts."""
        return {k: self.options[k] for k in (*PLACED, *RANGE, *CLIP_RANGE) if k in self.options}

    @property
    def spot(self) -> dict[str, Any]:
        """Where it acts."""
        return {k: self.options[k] for k in PLACED if k in self.options}

    @property
    def whole(self) -> bool:
        """Whether it acts on the whole latent."""
        return not self.options.keys() & {"area", "mask"}


def parts_of_conditioning(conditioning, name: str = "") -> list[Part]:
    return [Part.of(entry, name) for entry in conditioning]


def without(options: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    dropped = set(keys)
    return {k: v for k, v in options.items() if k not in dropped}


def with_areas_in_cells(conditioning, size: Sequence[int]):
    """CONDITIONING whose areas are cells of a latent of that size: the host's own reading of shares
    of the picture, and of masks whose bounds are an area."""
    return [[tokens, _in_cells(options, size)] for tokens, options in conditioning]


def needs_size(conditioning) -> bool:
    """Whether an entry acts in an area, so that other rows need one there."""
    return any("area" in options or _bounded(options) for _, options in conditioning)


def _bounded(options) -> bool:
    return "mask" in options and bool(options.get("set_area_to_bounds"))


def _in_cells(options, size):
    if not ("area" in options or _bounded(options)):
        return options
    probe = [{k: options[k] for k in ("area", "mask", "set_area_to_bounds") if k in options}]
    comfy.samplers.resolve_areas_and_cond_masks_multidim(probe, torch.Size(size), "cpu")
    return {**without(options, ("set_area_to_bounds",)), "area": probe[0]["area"]}


def with_the_areas_of(parts: Sequence[Part], others: Iterable[Part]) -> list[Part]:
    """The parts of a row, and one more for each area of other rows, by the host's own rule: rows
    are compared on equal pieces of the latent. What the row carries, it carries there too."""
    own = [_light(part) for part in parts]
    for other in others:
        comfy.samplers.create_cond_with_same_area_if_none(own, _light(other))
    return list(parts) + [
        light["model_conds"]["part"].at(light["of"].place) for light in own[len(parts) :]
    ]


def as_the_host_pairs(
    positive: Sequence[Part], negative: Sequence[Part], sized: bool
) -> tuple[list[Part], list[Part]]:
    """Both sides of one prompt as KSampler has them, by the host's own functions: each with the
    areas of the other, and what the prompt's ControlNets and boxes put on the negative.

    sized: areas are in cells.
    """
    sides = [[_carrying(p) for p in positive], [_carrying(p) for p in negative]]
    if sized:
        for here, there in (sides, sides[::-1]):
            for light in here:
                comfy.samplers.create_cond_with_same_area_if_none(there, light)
    chosen, other = sides
    both = [c for c in chosen if c.get("control_apply_to_uncond", False) is True]
    for name, givers in (("control", both), ("gligen", chosen)):
        comfy.samplers.apply_empty_x_to_equal_area(givers, other, name, lambda found, k: found[k])
    return [_read(light) for light in chosen], [_read(light) for light in other]


def _light(part: Part) -> dict[str, Any]:
    """An entry as the host's functions on areas read it. What the network reads is under
    model_conds there, which a copy takes from its own row."""
    return {**part.place, "of": part, "model_conds": {"part": part}}


def _carrying(part: Part) -> dict[str, Any]:
    carried = {k: part.options[k] for k in CARRIED if k in part.options}
    control = next(iter(part.controls.values()), None)
    return {**_light(part), **carried, **({} if control is None else {"control": control})}


def _read(light: Mapping[str, Any]) -> Part:
    part = light["model_conds"]["part"]
    control = light.get("control")
    carried = {k: light[k] for k in CARRIED if k in light and k != "control"}
    place = {k: light[k] for k in (*PLACED, *RANGE, *CLIP_RANGE) if k in light}
    rest = without(part.options, (*CARRIED, *PLACED, *RANGE, *CLIP_RANGE))
    controls = {} if control is None else {id(control): control}
    return replace(part, options={**rest, **place, **carried}, controls=controls)


def ranges_of(conditioning) -> Ranges:
    """When each entry is active; nothing where one always is."""
    ranges = [active(options) for _, options in conditioning]
    return () if (0.0, 1.0) in ranges else ranges


def active(options: Mapping[str, Any]) -> tuple[float, float]:
    """The share of sampling from and to which an entry is active."""
    return _share(options, "start", 0.0), _share(options, "end", 1.0)


def meeting(ranges: Ranges) -> tuple[Window, ...]:
    """Ranges that meet, or nearly so, as one."""
    parts: list[Window] = []
    for start, end in sorted((start, end) for start, end in ranges if start < end):
        if parts and start <= parts[-1].end + NEARLY:
            parts[-1] = Window(parts[-1].start, max(end, parts[-1].end))
        else:
            parts.append(Window(start, end))
    return tuple(parts) if ranges else (Window(),)


def always(ranges: Ranges) -> bool:
    """Whether some entry is active at all times, but for gaps that the host leaves itself."""
    return any(w.start <= NEARLY and w.end >= 1 - NEARLY for w in meeting(ranges))


def _share(options, end: str, default: float) -> float:
    own = options.get(f"{end}_percent", default)
    clip = options.get(f"clip_{end}_percent", default)
    chosen = max(own, clip) if end == "start" else min(own, clip)
    return min(1.0, max(0.0, float(chosen)))
