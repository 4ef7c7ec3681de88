"""Gates: weights that sum to 1, and that move."""

import pytest
import torch
import torch.nn.functional as F

each_form = pytest.mark.parametrize("per_token", [False, True])


@each_form
def test_shares_sum_to_1_and_differ_between_samples(three, make, stirred, per_token):
    found = stirred(make("gated", per_token=per_token))(three).shares
    torch.testing.assert_close(sum(found.values()), torch.ones(2))
    assert (found["text"][0] - found["text"][1]).abs() > 1e-3
    assert found["audio"][1] == 0


@each_form
def test_matches_the_equation_written_out(three, make, stirred, per_token):
    block = stirred(make("gated", per_token=per_token))
    found = block(three).embedding.tokens
    for b in range(2):
        tokens = {
            e.modality: e.tokens[b, e.mask[b]] + block.align.mark[e.modality]
            for e in three
            if e.mask[b].any()
        }
        context = block.all(torch.stack([x.mean(0) for x in tokens.values()]).mean(0))
        for n in range(5):
            here = {m: x for m, x in tokens.items() if n < len(x)}
            scores = []
            for m, x in here.items():
                heard = x[n] if per_token else x.mean(0)
                scores.append(block.score[m](F.gelu(block.own[m](heard) + context)))
            if not here:
                continue
            weights = torch.cat(scores).softmax(0)
            expected = sum(w * x[n] for w, x in zip(weights, here.values(), strict=True))
            torch.testing.assert_close(found[b, n], expected)


def test_one_sample_has_one_weight_unless_gated_by_token(embed, make, stirred):
    pair = [embed("text", 1, 3, 8), embed("style", 1, 3, 8)]

    def weights(per_token):
        block = stirred(make("gated", per_token=per_token))
        a, b = (block.align.one(e).tokens for e in pair)
        mixed = block(pair).embedding.tokens
        return ((mixed - b) * (a - b)).sum(-1) / ((a - b) ** 2).sum(-1)

    assert weights(False).std() < 1e-5
    assert weights(True).std() > 1e-3


def test_a_gate_can_close_an_input(three, make):
    block = make("gated")
    block.score["style"].bias.data.fill_(-30.0)
    found = block(three)
    assert found.shares["style"][0] < 1e-3
    left = block([three[0], three[2]]).embedding.tokens[0, :2]
    torch.testing.assert_close(found.embedding.tokens[0, :2], left, rtol=0, atol=1e-5)
