"""All ControlNets of a guider behind one object.

The host runs two rows in one network call only if they share their control object, and runs a
ControlNet for every row that carries it. Ours is carried by all rows: it runs each ControlNet once
for each distinct input, and adds what it gives to the rows that ask for it, at their strengths.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import comfy.controlnet
import comfy.hooks
import torch

Residuals = dict[str, list[torch.Tensor | None]]


@dataclass(frozen=True)
class Asked:
    """What one row asks for. gains: strength of each ControlNet it sees, by its key.

    context: equal for rows whose ControlNets read the same text and part of the picture.
    """

    gains: Mapping[Hashable, float] = field(default_factory=dict)
    context: Hashable = None


NOTHING = Asked()
IMAGES = "mmc_images"
"""What rows carry of a batch that may be cut: the number of each image."""


class SharedControl(comfy.controlnet.ControlBase):
    """rows: what each row asks for, by the uuid of its conditioning."""

    def __init__(self, members: Mapping[Hashable, comfy.controlnet.ControlBase]):
        super().__init__()
        self.members = {key: _own_chain(control) for key, control in members.items()}
        self.rows: dict[Any, Asked] = {}
        self.cuts: dict[Hashable, dict[str, Any]] = {}
        groups = [hooks for control in self.members.values() for hooks in control.get_extra_hooks()]
        self.extra_hooks = comfy.hooks.HookGroup.combine_all_hooks(groups) if groups else None

    def get_control(self, x_noisy, t, cond, batched_number, transformer_options):
        asked = [self.rows.get(uuid, NOTHING) for uuid in transformer_options["uuids"]]
        images = _images(cond, x_noisy.shape[0] // batched_number)
        total: Residuals | None = None
        for key, control in self.members.items():
            gains = [a.gains.get(key, 0.0) for a in asked]
            first: dict[Hashable, int] = {}  # one chunk of the batch for each distinct input
            for k, gain in enumerate(gains):
                if gain:
                    first.setdefault(asked[k].context, k)
            if not first:
                continue
            with self._hints_of(control, images):
                made = control.get_control(
                    *_chunks(list(first.values()), x_noisy, t, cond, batched_number),
                    len(first),
                    _options(list(first.values()), transformer_options),
                )
            if made is None:
                continue
            order = {context: n for n, context in enumerate(first)}
            sources = [order.get(a.context, 0) for a in asked]
            per = x_noisy.shape[0] // batched_number
            total = _sum(total, _handed_out(made, sources, gains, per, len(first)))
        return total

    @property
    def several(self) -> bool:
        """Whether any ControlNet has a picture for each image, or for several."""
        return any(_count(c) > 1 for control in self.members.values() for c in _chain(control))

    def _hints_of(self, control, images: tuple[int, ...] | None) -> ExitStack:
        """While it is open, a chain reads the pictures of these images only; None: as it is."""
        stack = ExitStack()
        for one in _chain(control) if images is not None else ():
            if _count(one) > 1:
                stack.enter_context(_cut(one, images, self.cuts))
        return stack

    # What the host asks of a control object, for all members.

    def pre_run(self, model, percent_to_timestep_function):
        super().pre_run(model, percent_to_timestep_function)
        for control in self.members.values():
            control.pre_run(model, percent_to_timestep_function)

    def cleanup(self):
        super().cleanup()
        self.cuts.clear()
        for control in self.members.values():
            control.cleanup()

    def get_models(self):
        return super().get_models() + [m for c in self.members.values() for m in c.get_models()]

    def inference_memory_requirements(self, dtype):
        return sum(c.inference_memory_requirements(dtype) for c in self.members.values())

    def copy(self):
        other = SharedControl(self.members)
        other.rows = self.rows
        return other

    def deepclone_multigpu(self, load_device, autoregister=False):
        other = self.copy()
        other.members = {key: _on_device(c, load_device) for key, c in self.members.items()}
        if autoregister:
            self.multigpu_clones[load_device] = other
        return other


GIVEN, MADE = ("cond_hint_original", "extra_concat_orig"), ("cond_hint", "control_input")
"""Where the host's ControlNets keep pictures: as they were given, and as they were made of them."""


@contextmanager
def _cut(control, images: tuple[int, ...], cuts: dict[Hashable, dict[str, Any]]) -> Iterator[None]:
    """A ControlNet that reads the pictures of some images. What it makes of them is kept in cuts:
    the next step asks for it again."""
    names = [n for n in (*GIVEN, *MADE) if hasattr(control, n)]
    before = {name: getattr(control, name) for name in names}
    key = id(control), images
    if key not in cuts:
        given = {name: _of_images(before[name], images) for name in GIVEN if name in before}
        cuts[key] = {**dict.fromkeys(names), **given}
    try:
        for name, value in cuts[key].items():
            setattr(control, name, value)
        yield
        cuts[key] = {name: getattr(control, name) for name in names}
    finally:
        for name, value in before.items():
            setattr(control, name, value)


def _of_images(given, images: Sequence[int]):
    """Fewer pictures than images are repeated in turn, as the host repeats them."""
    if isinstance(given, list):
        return [_of_images(x, images) for x in given]
    if not isinstance(given, torch.Tensor) or len(given) == 1:
        return given
    return given[[k % len(given) for k in images]]


def _images(cond: Mapping[str, Any], per: int) -> tuple[int, ...] | None:
    """Which images of the batch a call holds, each once; None where nobody cuts it."""
    numbers = cond.get(IMAGES)
    return None if numbers is None else tuple(numbers[:per].flatten().tolist())


def _chain(control) -> Iterator[Any]:
    while control is not None:
        yield control
        control = control.previous_controlnet


def _count(control) -> int:
    hint = getattr(control, "cond_hint_original", None)
    return len(hint) if isinstance(hint, torch.Tensor) else 1


def _own_chain(control):
    """A copy with copies of those before it: what a run keeps in them stays with this guider."""
    own = control.copy()
    if control.previous_controlnet is not None:
        own.set_previous_controlnet(_own_chain(control.previous_controlnet))
    return own


def _on_device(control, device):
    own = control.deepclone_multigpu(device)
    if control.previous_controlnet is not None:
        own.set_previous_controlnet(_on_device(control.previous_controlnet, device))
    return own


def _chunks(chosen: Sequence[int], x, t, cond, count: int):
    """The chosen rows of a batch of `count` rows: latents, noise levels and what else it holds."""
    if list(chosen) == list(range(count)):
        return x, t, cond
    total = x.shape[0]
    per = total // count

    def pick(value):
        if not (isinstance(value, torch.Tensor) and value.ndim and value.shape[0] == total):
            return value
        return torch.cat([value[k * per : (k + 1) * per] for k in chosen])

    return pick(x), pick(t), {name: pick(value) for name, value in cond.items()}


def _options(chosen: Sequence[int], options):
    sides = options["cond_or_uncond"]
    return {
        **options,
        "cond_or_uncond": [sides[k] for k in chosen],
        "uuids": [options["uuids"][k] for k in chosen],
    }


def _handed_out(
    made: Residuals, sources: Sequence[int], gains: Sequence[float], per: int, distinct: int
) -> Residuals:
    """What was made for `distinct` inputs, given to every row of the batch at its gain."""
    plain = list(sources) == list(range(distinct)) and all(gain == 1 for gain in gains)

    def hand_out(x):
        if x is None or (plain and x.shape[0] == distinct * per):
            return x
        if x.shape[0] == distinct * per:
            parts = x.split(per)
        else:  # an adapter that does not read the latent makes one for all
            parts = [x[:per].expand(per, *x.shape[1:])] * distinct
        return torch.cat(
            [
                parts[n] * gain if gain else torch.zeros_like(parts[0])
                for n, gain in zip(sources, gains, strict=True)
            ]
        )

    return {level: [hand_out(x) for x in xs] for level, xs in made.items()}


def _sum(one: Residuals | None, other: Residuals) -> Residuals:
    if one is None:
        return other
    out: Residuals = {}
    for level in dict.fromkeys([*one, *other]):
        a, b = one.get(level, []), other.get(level, [])
        size = max(len(a), len(b))
        pairs = zip(a + [None] * (size - len(a)), b + [None] * (size - len(b)), strict=True)
        out[level] = [y if x is None else x if y is None else x + y for x, y in pairs]
    return out
