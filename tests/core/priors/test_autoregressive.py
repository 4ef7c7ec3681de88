"""The autoregressive prior: its order, its shortcut, and what it samples."""

import pytest
import torch

from mm_core.errors import InputError
from mm_core.priors.autoregressive import ARSizes, guided
from mm_core.priors.blocks import Past
from mm_core.priors.prior import Request


@pytest.fixture
def net(autoregressive):
    return autoregressive.network


def numbers(count, most, seed=0):
    return torch.randint(most, count, generator=torch.Generator().manual_seed(seed))


def test_a_code_is_told_from_those_before_it_alone(net, texts):
    text, dots, codes = texts(2), numbers((2,), 16), numbers((2, 5), 16)
    logits = net(text, dots, codes)
    other = codes.clone()
    other[:, 2] = (other[:, 2] + 1) % 16
    changed = (net(text, dots, other) - logits).abs().amax((0, 2))
    assert (changed[:3] == 0).all()
    assert (changed[3:] > 1e-3).all()


def test_the_dot_product_and_the_sentence_are_read(net, texts):
    text, dots, codes = texts(2), numbers((2,), 8), numbers((2, 5), 16)
    logits = net(text, dots, codes)
    assert ((net(text, dots + 8, codes) - logits).abs().amax(2) > 1e-3).all()
    other = type(text)(text.pooled + 1, text.tokens, text.mask)
    assert ((net(other, dots, codes) - logits).abs().amax(2) > 1e-3).all()


def test_code_by_code_with_memory_is_all_codes_at_once(net, texts):
    text, dots, codes = texts(3), numbers((3,), 16), numbers((3, 5), 16)
    past = [Past() for _ in net.layers]
    found = [net.start(text, dots, past)]
    found += [net.next(codes[:, k], k, text.mask, past) for k in range(4)]
    torch.testing.assert_close(torch.stack(found, 1), net(text, dots, codes), rtol=1e-3, atol=1e-4)


def test_samples_have_the_frequencies_that_the_network_says(autoregressive, texts):
    """Of the first code, whose probabilities are known once the dot product is held."""
    net = autoregressive.network
    net.dots.fill_(1.0)
    text = texts(1)
    with torch.no_grad():
        expected = net(text, net.dot_numbers(net.dots[:1]), numbers((1, 5), 16))[0, 0].softmax(-1)
    found = autoregressive.sample(text, Request(tuple(range(2000)), guidance=1.0)).vectors
    first = net.coding().encode(found)[:, 0]
    shares = torch.bincount(first, minlength=16) / 2000
    torch.testing.assert_close(shares, expected, rtol=0, atol=0.035)  # three standard deviations


def test_dot_products_are_of_the_better_half(autoregressive):
    """The quantiles of the fixture run evenly from -1 to 3: the better half begins at 1."""
    drawn = autoregressive._good_dots(torch.tensor([0.0, 0.5, 0.999999]))
    torch.testing.assert_close(drawn, torch.tensor([1.0, 2.0, 3.0]), rtol=0, atol=1e-4)


def test_without_a_negative_text_the_learned_nulls_stand_for_none(autoregressive, texts):
    asked = texts(2), Request((1, 2), guidance=3.0)
    found = autoregressive.sample(*asked).vectors
    same = autoregressive.sample(*asked, autoregressive.network.without(2)).vectors
    assert torch.equal(found, same)
    autoregressive.network.null_text.data.add_(1)
    autoregressive.network.null_sentence.data.add_(5)
    assert not torch.equal(found, autoregressive.sample(*asked).vectors)


def test_guidance_is_on_logits():
    a, b = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 5.0]])
    assert torch.equal(guided([a, b], 2.0), torch.tensor([[2.0, -1.0]]))
    assert torch.equal(guided([a], 2.0), a)


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="3 heads cannot share the width 32"):
        ARSizes(8, 32, 3, 1, 7, 4)
    with pytest.raises(InputError, match="codes is 0"):
        ARSizes(8, 32, 2, 1, 7, 0)


def test_a_mean_is_refused(autoregressive, texts):
    with pytest.raises(InputError, match="the prior is autoregressive and has no mean; choose"):
        autoregressive.sample(texts(1), Request((1,), guidance=1.0, solver="mean"))
