"""The diffusion prior: noise to an image embedding, guided by a text."""

import torch

from ..errors import InputError
from ..types import Tensor
from .noise import Noise
from .prior import PriorText, Request, Tick, check_finite, check_guidance, check_text, join, no_tick
from .space import ImageEmbedding, Space
from .transformer import PriorTransformer
from .unclip import Predict, Table, cosine_table, solve

LIMIT = 10.0  # of a normalised embedding's numbers; diffusers' Karlo has 5


class DiffusionPrior:
    """Karlo, Kandinsky 2.1 or 2.2, or one of that form. Its embeddings have the encoder's lengths.

    limit: every number of a predicted, normalised embedding lies within it. source: for messages.
    dropped: see prior.check_guidance.
    """

    unit, dropped = False, True

    def __init__(
        self,
        network: PriorTransformer,
        space: Space,
        limit: float = LIMIT,
        table: Table | None = None,
        source: str = "the prior",
    ):
        self.network, self.space, self.limit = network, space, limit
        self.table, self.source = table or cosine_table(), source

    @torch.inference_mode()
    def sample(
        self,
        text: PriorText,
        request: Request,
        negative: PriorText | None = None,
        tick: Tick = no_tick,
    ) -> ImageEmbedding:
        """See Prior. Without a negative text guidance must be 1: this prior has no null of its own.

        The text's tensors decide the device, the network's weights the precision. Raises InputError
        for text of another CLIP, and where a number of the answer is not finite.
        """
        noise, width = Noise(request.seeds), self.space.width
        device, kind = text.pooled.device, self.network.proj_in.weight.dtype
        x = solve(
            self.predict(text, request, negative),
            lambda: noise.normal(width).to(device, kind),
            self.table,
            request.steps,
            request.solver,
            self.limit,
            tick,
        )
        vectors = self.network.denormalised(x.float())
        check_finite(vectors, self.source, request.guidance, text, negative)
        return ImageEmbedding(vectors, self.space)

    def predict(self, text: PriorText, request: Request, negative: PriorText | None) -> Predict:
        """(noisy, timestep) -> guided prediction of the clean embedding, normalised.

        Guidance acts on the predicted embedding, before it is limited. The texts are read here,
        once for all steps.
        """
        count = len(request.seeds)
        given = text.sized(count)
        check_text(given, self.space, self.network.sizes.tokens, self.source)
        guided = request.guidance != 1
        if guided:
            check_guidance(self.dropped, request.guidance, negative is not None, self.source)
            if negative is None:
                raise InputError(
                    f"{self.source} needs a negative text for guidance {request.guidance:g}; "
                    'encode "" for none, or set guidance to 1'
                )
            check_text(negative, self.space, self.network.sizes.tokens, self.source)
            given = join(negative.sized(count), given)
        prefix = self.network.read(given)

        def clean(x: Tensor, t: int) -> Tensor:
            rows = torch.cat([x, x]) if guided else x
            time = torch.full((len(rows),), float(t), device=x.device)
            out = self.network(rows, time, prefix)
            if not guided:
                return out
            without, conditioned = out.chunk(2)
            return without + request.guidance * (conditioned - without)

        return clean
