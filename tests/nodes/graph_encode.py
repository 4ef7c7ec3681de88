"""Graphs of encoders and fusion, on the embedded model and on tiny random ones."""

import json

from graph import Graph


class Fusing(Graph):
    def encoded(self, prompt, **given):
        return self.add("MMC_EncodeText", text=prompt, clip=self.clip, **given)

    def picture_vector(self, width=128, **given):
        """One vector of the style picture, as wide as the tokens of the text, unless told."""
        return self.add(
            "MMC_EncodeImage", image=self.asset("style"), read="one vector",
            clip_vision=self.add("ProbeVision", width=width), **given,
        )  # fmt: skip

    def fused(self, *embeddings, mode="concat", file=None, **given):
        if file:
            given["fusion"] = self.add("MMC_LoadFusion", file=f"{file}.safetensors")
        connected = {f"embeddings.embedding{i}": e for i, e in enumerate(embeddings)}
        return self.add("MMC_Fuse", mode=mode, **connected, **given)

    def drawn(self, positive, probe="ProbeModel", **sampling):
        """KSampler on a probe's network, which reads tokens as wide as our text's."""
        return self.add(
            "KSampler", model=self.add(probe), positive=positive, negative=self.words(),
            cfg=4.0, **self.sampling(**sampling),
        )  # fmt: skip

    def told(self, conditioning):
        return self.add("ProbeConditioning", conditioning=conditioning)

    def read(self, node, output=2):
        """Shows a STRING that a node gives."""
        return self.add("PreviewAny", source=[node[0], output])


def entries(outputs, probe):
    """What ProbeConditioning said."""
    return json.loads(outputs[probe[0]]["text"][0])


def words(outputs, preview):
    """What PreviewAny showed."""
    return outputs[preview[0]]["text"][0]
