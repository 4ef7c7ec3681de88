"""The autoregressive prior of the DALL-E 2 paper: an image embedding, code by code.

Reads text | sentence | dot product | codes. The dot product says how well the embedding is to fit
the sentence; in sampling it is one of the better half. Source: Ramesh et al. 2022, arXiv
2204.06125, section 2.2.
"""

from dataclasses import dataclass
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import InputError
from ..types import Float, Int, Tensor, Tokens
from .blocks import Block, Past
from .codes import Codes, dot_buckets
from .noise import Noise
from .prior import PriorText, Request, Tick, check_finite, check_guidance, check_text, no_tick
from .space import ImageEmbedding, Space
from .transformer import causal_bias

QUANTILES = 101  # of the training data's dot products
EXTRA = 2  # tokens between text and codes: sentence, dot product


@dataclass(frozen=True)
class ARSizes:
    """dim: of the embeddings. codes: numbers for each. buckets: values that each can have."""

    dim: int
    width: int
    heads: int
    layers: int
    tokens: int
    codes: int
    buckets: int = 1024

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(f"{name} is {value!r}; needed a whole number of 1 or more")
        if self.width % self.heads:
            raise InputError(
                f"{self.heads} heads cannot share the width {self.width}; choose a number of heads "
                "that divides it"
            )


class CodeTransformer(nn.Module):
    """A text and the codes so far -> logits of the next code."""

    mean: Tensor
    basis: Tensor
    reach: Tensor
    dots: Tensor

    def __init__(self, sizes: ARSizes, ops: ModuleType = nn):
        super().__init__()
        self.sizes = sizes
        dim, width = sizes.dim, sizes.width
        self.text = ops.Linear(dim, width)
        self.sentence = ops.Linear(dim, width)
        self.dot_embedding = ops.Embedding(sizes.buckets, width)
        self.code_embedding = ops.Embedding(sizes.buckets, width)
        self.place = nn.Parameter(torch.zeros(1, sizes.tokens + EXTRA + sizes.codes, width))
        self.null_text = nn.Parameter(torch.zeros(1, sizes.tokens, dim))
        self.null_sentence = nn.Parameter(torch.zeros(1, dim))
        self.layers = nn.ModuleList(Block(width, sizes.heads, ops) for _ in range(sizes.layers))
        self.norm = ops.LayerNorm(width)
        self.leave = ops.Linear(width, sizes.buckets)
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("basis", torch.zeros(dim, sizes.codes))
        self.register_buffer("reach", torch.ones(sizes.codes))
        self.register_buffer("dots", torch.zeros(QUANTILES))

    def coding(self) -> Codes:
        """How embeddings become codes."""
        return Codes(self.mean, self.basis, self.reach, self.sizes.buckets)

    def dot_numbers(self, dots: Float[Tensor, " b"]) -> Int[Tensor, " b"]:
        """Inner products of embedding and sentence as the numbers of their buckets."""
        return dot_buckets(dots, float(self.dots[0]), float(self.dots[-1]), self.sizes.buckets)

    def prefix(self, text: PriorText, dots: Int[Tensor, " b"]) -> tuple[Tokens, Tensor]:
        """The tokens before the codes, and which of them are real."""
        kind = self.text.weight.dtype
        tokens = torch.cat(
            [
                self.text(text.shown.to(kind)),
                self.sentence(text.pooled.to(kind))[:, None],
                self.dot_embedding(dots)[:, None],
            ],
            1,
        )
        return tokens, F.pad(text.mask, (0, EXTRA), value=True)

    def without(self, count: int) -> PriorText:
        """What stands for no text."""
        mask = torch.ones(count, self.sizes.tokens, dtype=torch.bool, device=self.mean.device)
        return PriorText(
            self.null_sentence.expand(count, -1), self.null_text.expand(count, -1, -1), mask
        )

    def forward(
        self, text: PriorText, dots: Int[Tensor, " b"], codes: Int[Tensor, "b k"]
    ) -> Float[Tensor, "b k buckets"]:
        """Logits of every code, each given those before it."""
        h, real = self.prefix(text, dots)
        h = torch.cat([h, self.code_embedding(codes[:, :-1])], 1)
        real = F.pad(real, (0, h.shape[1] - real.shape[1]), value=True)
        h = self._run(h, 0, causal_bias(real, h.shape[1]), None)
        return self.leave(self.norm(h[:, self.sizes.tokens + EXTRA - 1 :]))

    def start(
        self, text: PriorText, dots: Int[Tensor, " b"], past: list[Past]
    ) -> Float[Tensor, "b buckets"]:
        """Logits of the first code; past is filled."""
        h, real = self.prefix(text, dots)
        h = self._run(h, 0, causal_bias(real, h.shape[1]), past)
        return self.leave(self.norm(h[:, -1]))

    def next(
        self,
        code: Int[Tensor, " b"],
        index: int,
        real: Tensor,
        past: list[Past],
    ) -> Float[Tensor, "b buckets"]:
        """Logits of the code after the index-th. real: which tokens of the text are."""
        seen = F.pad(real, (0, EXTRA + index + 1), value=True)
        h = self._run(
            self.code_embedding(code)[:, None],
            self.sizes.tokens + EXTRA + index,
            causal_bias(seen, 1),
            past,
        )
        return self.leave(self.norm(h[:, -1]))

    def _run(self, h: Tokens, place: int, seen: Tensor, past: list[Past] | None) -> Tokens:
        h = h + self.place[:, place : place + h.shape[1]]
        seen = seen.to(h)
        for k, layer in enumerate(self.layers):
            h = layer(h, seen, past[k] if past is not None else None)
        return h


class AutoregressivePrior:
    """The network, sampled. Its steps are codes, so Request.steps means nothing to it, nor do the
    solvers of diffusion; "mean" is refused, since it cannot give one."""

    unit, dropped = False, True

    def __init__(self, network: CodeTransformer, space: Space, source: str = "the prior"):
        self.network, self.space, self.source = network, space, source

    @torch.inference_mode()
    def sample(
        self,
        text: PriorText,
        request: Request,
        negative: PriorText | None = None,
        tick: Tick = no_tick,
    ) -> ImageEmbedding:
        """See Prior. Guidance acts on logits; without a negative text learned nulls stand for none.

        Raises InputError for text of another CLIP, for the solver "mean", and where a number that a
        choice is made by, or one of the answer, is not finite.
        """
        if request.solver == "mean":
            raise InputError(
                f"{self.source} is autoregressive and has no mean; choose another solver, or a "
                "diffusion prior"
            )
        net, count = self.network, len(request.seeds)
        check_text(text, self.space, net.sizes.tokens, self.source)
        given, noise = text.sized(count), Noise(request.seeds)
        sides = [(given, [Past() for _ in net.layers])]
        if request.guidance != 1:
            check_guidance(self.dropped, request.guidance, negative is not None, self.source)
            against = negative.sized(count) if negative is not None else net.without(count)
            sides.append((against, [Past() for _ in net.layers]))

        def checked(made: Tensor) -> Tensor:
            check_finite(made, self.source, request.guidance, text, negative)
            return made

        checked(net.dots)
        dots = net.dot_numbers(self._good_dots(noise.uniform().to(given.pooled.device)))
        logits = [net.start(side, dots, past) for side, past in sides]
        codes: list[Tensor] = []
        for k in range(net.sizes.codes):
            chosen = checked(guided(logits, request.guidance)).softmax(-1)
            codes.append(noise.choose(chosen).to(dots.device))
            tick(k + 1, net.sizes.codes)
            if k + 1 < net.sizes.codes:
                logits = [net.next(codes[-1], k, side.mask, past) for side, past in sides]
        return ImageEmbedding(checked(net.coding().decode(torch.stack(codes, 1))), self.space)

    def _good_dots(self, uniform: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
        """A dot product of the training data's better half for each number in 0..1."""
        place = (0.5 + uniform / 2) * (QUANTILES - 1)
        low = place.floor().long().clamp(max=QUANTILES - 2)
        return torch.lerp(self.network.dots[low], self.network.dots[low + 1], place - low)


def guided(logits: list[Tensor], guidance: float) -> Float[Tensor, "b buckets"]:
    """[with text] or [with text, without] -> logits moved away from the second."""
    if len(logits) == 1:
        return logits[0]
    return logits[1] + guidance * (logits[0] - logits[1])
