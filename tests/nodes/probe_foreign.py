"""A MODEL patched as other packs patch it for image prompts. Only the tests load it.

Such a patch holds keys and values for two sides, and reads which chunk of a call is on which.
"""

import torch
from comfy.ldm.modules.attention import optimized_attention

SITES = [("input", i) for i in (1, 2, 4, 5, 7, 8)]
SITES += [("middle", 0)] + [("output", i) for i in range(3, 12)]
TOKENS = 3


class ProbeChunks:
    """Random image tokens in every text attention of an SD1.5 UNet.

    sides: the prompt's tokens on its side and others on the other, or as if every row were on one.
    images: that many sets of tokens, one for each image of the batch.
    """

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "patch"
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802  the host's name
        return {
            "required": {
                "model": ("MODEL",), "sides": (["both", "prompt", "other"],),
                "images": ("INT", {"default": 1}),
            }
        }  # fmt: skip

    def patch(self, model, sides, images):
        model = model.clone()
        for n, site in enumerate(SITES):
            model.set_model_attn2_replace(_Chunks(n, sides, images), *site)
        return (model,)


class _Chunks:
    def __init__(self, seed, sides, images):
        self.seed, self.sides, self.images = seed, sides, images

    def __call__(self, q, k, v, extra):
        now = extra["cond_or_uncond"]
        each = q.shape[0] // len(now)
        keys, values = ([self._tokens(part, side, q, each) for side in (0, 1)] for part in (0, 1))
        order = {"both": now, "prompt": [0] * len(now), "other": [1] * len(now)}[self.sides]
        heads = extra["n_heads"]
        k_image, v_image = (torch.cat([ends[i] for i in order]) for ends in (keys, values))
        added = optimized_attention(q, k_image, v_image, heads)
        return optimized_attention(q, k, v, heads) + added

    def _tokens(self, part, side, q, each):
        rng = torch.Generator().manual_seed(1000 * self.seed + 10 * part + side)
        drawn = torch.randn(self.images, TOKENS, q.shape[-1], generator=rng).to(q)
        return drawn.repeat(each // self.images, 1, 1)


NODE_CLASS_MAPPINGS = {"ProbeChunks": ProbeChunks}
