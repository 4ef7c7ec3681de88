"""API prompts on SD 1.5 with random weights, 64 x 64 pixels, two steps; and what its probes say."""

import json

from graph import Graph
from random_sd15 import CHECKPOINT, CONTROLS, LORA

STRENGTH = {"weight": 1.5, "start": 0.0, "end": 1.0}


class SD15(Graph):
    def __init__(self):
        self.prompt = {}
        node, _ = self.add("CheckpointLoaderSimple", ckpt_name=CHECKPOINT)
        self.model, self.clip, self.vae = ([node, i] for i in range(3))

    def empty(self, width=64, height=64, batch=1):
        return super().empty(width, height, batch)

    def sampling(self, **given):
        return super().sampling(**{"steps": 2, **given})

    def custom(self, guider, steps=2, **sampling):
        return super().custom(guider, steps=steps, **sampling)

    # more inputs

    def control(self, which=0):
        """CONTROL_NET a (0) or b (1)."""
        return self.add("ControlNetLoader", control_net_name=CONTROLS[which])

    def counted_control(self, which, count):
        net = self.control(which)
        return self.add("ProbeCountControl", control_net=net, count=count, name="ab"[which])

    def controlled(self, positive, negative, control, image, strength=1.0):
        """ControlNetApplyAdvanced: (positive, negative)."""
        node, _ = self.add(
            "ControlNetApplyAdvanced", positive=positive, negative=negative, control_net=control,
            image=image, strength=strength, start_percent=0.0, end_percent=1.0,
        )  # fmt: skip
        return [node, 0], [node, 1]

    def with_lora(self, strength=1.0):
        return self.add(
            "LoraLoaderModelOnly", model=self.model, lora_name=LORA, strength_model=strength
        )

    # probes

    def count(self):
        """Counts every network call of what is added after it. Gives the count."""
        node, _ = self.add("ProbeCount", model=self.model)
        self.model = [node, 0]
        return [node, 1]

    def counted(self, samples, count):
        """The probe that tells the count once the samples are there; its id."""
        return self.add("ProbeCounted", samples=samples, count=count)[0]

    def state(self, **inputs):
        """The probe of what a run could change; its id."""
        return self.add("ProbeState", model=self.model, **inputs)[0]


def said(outputs, node):
    """What a probe told."""
    return json.loads(outputs[node]["text"][0])
