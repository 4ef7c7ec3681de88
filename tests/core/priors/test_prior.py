"""What every prior is given; all priors keep the same promises."""

import pytest
import torch

from mm_core.errors import InputError
from mm_core.priors.autoregressive import AutoregressivePrior
from mm_core.priors.prior import PriorText, Request, check_text, join, negative_embedding
from mm_core.priors.space import Space

ALL = ["diffusion", "laion", "autoregressive"]


@pytest.fixture(params=ALL)
def prior(request):
    return request.getfixturevalue(request.param)


each_precision = pytest.mark.parametrize(
    "kind", [torch.float32, torch.bfloat16, torch.float16], ids=str
)


def cast(prior, kind):
    for weight in prior.network.parameters():
        weight.data = weight.data.to(kind)
    return prior


def row(text, k):
    return PriorText(text.pooled[k : k + 1], text.tokens[k : k + 1], text.mask[k : k + 1])


@each_precision
@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_images_of_one_request_do_not_influence_each_other(prior, texts, kind, guidance):
    """Beside other texts, of other lengths, or copies of its own, and other noise: not by a bit."""
    cast(prior, kind)
    text, other, negative = texts(3), texts(3, seed=4), texts(1, seed=9)
    assert len(set(text.mask.sum(1).tolist() + other.mask.sum(1).tolist())) > 2
    said = prior.sample(text, Request((5, 6, 7), 25, guidance), negative).vectors
    assert not torch.allclose(said[0], said[1], atol=0.1)
    for k, seed in enumerate((5, 6, 7)):
        one, seeds = row(text, k), [8, 8, 8]
        beside = [[one if k == i else row(other, i) for i in range(3)], [one] * 3]
        seeds[k] = seed
        for rows in beside:
            found = prior.sample(join(*rows), Request(tuple(seeds), 25, guidance), negative)
            assert torch.equal(found.vectors[k], said[k])


@each_precision
@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_an_image_alone_is_that_of_a_batch_but_for_rounding(prior, texts, kind, guidance):
    """Kernels are chosen by the number of rows and round in their own ways: by no more than a unit
    of the weights' precision in a step, for each of the two answers that guidance puts together."""
    if isinstance(prior, AutoregressivePrior) and kind != torch.float32:
        pytest.skip("rounded probabilities may choose another code, and then all is another")
    cast(prior, kind)
    text, negative, steps = texts(3), texts(1, seed=9), 25
    together = prior.sample(text, Request((5, 6, 7), steps, guidance), negative).vectors
    for k, seed in enumerate((5, 6, 7)):
        alone = prior.sample(row(text, k), Request((seed,), steps, guidance), negative).vectors
        bound = steps * (2 * guidance - 1) * torch.finfo(kind).eps * alone.abs().max()
        assert (together[k] - alone[0]).abs().max() <= bound


def test_the_same_seeds_give_the_same_embeddings_bit_for_bit(prior, texts):
    asked = texts(2), Request((1, 2), 5, 1.5), texts(1, seed=9)
    assert torch.equal(prior.sample(*asked).vectors, prior.sample(*asked).vectors)


def test_one_text_serves_all_seeds(prior, texts):
    one, negative = texts(1), texts(1, seed=9)
    request = Request((3, 3, 4), 4, 1.5)
    found = prior.sample(one, request, negative).vectors
    torch.testing.assert_close(found[0], found[1])
    assert not torch.allclose(found[0], found[2], atol=1e-4)


def test_text_and_guidance_matter(prior, texts):
    negative = texts(1, seed=9)
    plain = prior.sample(texts(1), Request((3,), 6, 1.0)).vectors
    other = prior.sample(texts(1, seed=4), Request((3,), 6, 1.0)).vectors
    pushed = prior.sample(texts(1), Request((3,), 6, 3.0), negative).vectors
    assert not torch.allclose(plain, other, atol=1e-2)
    assert not torch.allclose(plain, pushed, atol=1e-2)


def test_padded_tokens_are_not_read(prior, texts):
    text = texts(2)
    request = Request((1, 2), 4, 1.0)
    for padding in (100.0, float("nan")):
        spoiled = torch.where(text.mask[..., None], text.tokens, padding)
        found = prior.sample(PriorText(text.pooled, spoiled, text.mask), request).vectors
        assert torch.equal(prior.sample(text, request).vectors, found)


def test_guidance_from_a_text_to_itself_is_none(prior, texts):
    text = texts(1)
    plain = prior.sample(text, Request((3,), 4, 1.0)).vectors
    pushed = prior.sample(text, Request((3,), 4, 7.0), text).vectors
    torch.testing.assert_close(plain, pushed, rtol=1e-4, atol=1e-4)
    negative = negative_embedding(prior, text, Request((3,), 4, 7.0)).vectors
    assert torch.equal(negative, plain)


def test_progress_is_told_to_the_end(prior, texts):
    told = []
    prior.sample(texts(1), Request((1,), 5, 1.0), None, lambda *done: told.append(done))
    total = told[-1][1]
    assert told == [(k + 1, total) for k in range(total)]


def test_what_the_callback_raises_ends_the_run_and_leaves_the_prior_as_it_was(prior, texts):
    class CancelledError(Exception):
        pass

    def cancel(done, total):
        if done == 2:
            raise CancelledError

    asked = texts(1), Request((1,), 5, 1.0)
    before = prior.sample(*asked).vectors
    with pytest.raises(CancelledError):
        prior.sample(*asked, None, cancel)
    assert torch.equal(prior.sample(*asked).vectors, before)


def test_text_of_another_width_or_length_is_refused_in_one_line(prior, texts):
    with pytest.raises(InputError, match=r"a small CLIP, width 24, but .* width 8 .* encode the"):
        prior.sample(texts(1, dim=8), Request((1,)), texts(1, dim=8))
    with pytest.raises(InputError, match="reads 7 tokens, but was given 9; pad or cut"):
        prior.sample(texts(1, words=9), Request((1,)), texts(1, words=9))
    with pytest.raises(InputError, match="2 texts for 3 images; needed 1 or 3"):
        prior.sample(texts(2), Request((1, 2, 3)), texts(1))


def built(kind, **fields):
    """As without the type checks, which are of tests alone."""
    made = object.__new__(kind)
    vars(made).update(fields)
    made.__post_init__()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"seeds": ()}, r"seeds are \(\)"),
        ({"seeds": (-1,)}, "between 0 and"),
        ({"seeds": (1.5,)}, r"seeds are \(1.5,\); needed some whole numbers"),
        ({"seeds": ("a",)}, r"seeds are \('a',\); needed some whole numbers"),
        ({"seeds": (True,)}, r"seeds are \(True,\); needed some whole numbers"),
        ({"seeds": 5}, "seeds are 5; needed some whole numbers"),
        ({"seeds": (1,), "steps": 1}, "steps is 1; it must be a whole number between 2 and 1000"),
        ({"seeds": (1,), "steps": 2.5}, "steps is 2.5; it must be a whole number"),
        ({"seeds": (1,), "steps": True}, "steps is True; it must be a whole number"),
        ({"seeds": (1,), "guidance": None}, "guidance is None; it must be a number"),
        ({"seeds": (1,), "guidance": True}, "guidance is True; it must be a number"),
        ({"seeds": (1,), "guidance": "4"}, "guidance is '4'; it must be a number"),
        ({"seeds": (1,), "guidance": float("nan")}, "guidance is nan"),
        ({"seeds": (1,), "guidance": -1.0}, "at least 0"),
        ({"seeds": (1,), "solver": "magic"}, "choose from ancestral, ddim, mean"),
    ],
)
def test_requests_that_cannot_be_are_refused(asked, said):
    with pytest.raises(InputError, match=said):
        built(Request, **({"steps": 25, "guidance": 4.0, "solver": "ancestral"} | asked))


def test_a_text_whose_parts_disagree_is_refused(texts):
    text = texts(2)
    with pytest.raises(InputError, match="does not fit itself"):
        PriorText(text.pooled[:1], text.tokens, text.mask)


@pytest.mark.parametrize("kind", [torch.int64, torch.float32], ids=str)
def test_a_mask_that_is_not_boolean_is_refused(texts, kind):
    text = texts(2)
    with pytest.raises(InputError, match=f"mask holds {kind}; needed torch.bool"):
        built(PriorText, pooled=text.pooled, tokens=text.tokens, mask=text.mask.to(kind))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("part", ["pooled", "tokens"])
def test_a_text_with_numbers_that_are_not_finite_is_named(prior, texts, part, number):
    whole, text = texts(2), texts(2)
    getattr(text, part).view(2, -1)[1, 0] = number  # of the second text, in its first word
    for guidance in (1.0, 2.0):
        asked = Request((1, 2), 4, guidance)
        with pytest.raises(InputError, match="the encoded text has numbers that are not finite"):
            prior.sample(text, asked, whole)
    with pytest.raises(InputError, match="the encoded negative text has numbers that are not fin"):
        prior.sample(whole, Request((1, 2), 4, 2.0), text)


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("diffusion", "norm_out.weight"),
        ("diffusion", "clip_mean"),
        ("laion", "causal_transformer.project_out.weight"),
        ("laion", "learned_query"),
        ("autoregressive", "leave.bias"),
        ("autoregressive", "dots"),
        ("autoregressive", "basis"),
    ],
)
def test_a_file_with_numbers_that_are_not_finite_gives_no_embedding(request, texts, name, tensor):
    """One number is enough."""
    prior = request.getfixturevalue(name)
    prior.network.state_dict()[tensor].view(-1)[0] = float("nan")
    with pytest.raises(InputError, match="the prior gives numbers that are not finite; its file m"):
        prior.sample(texts(1), Request((1,), 4, 1.0), texts(1, seed=5))
    with pytest.raises(InputError, match="the prior overflowed at guidance 2; lower it"):
        prior.sample(texts(1), Request((1,), 4, 2.0), texts(1, seed=5))


def test_texts_are_joined_and_repeated_in_order(texts):
    a, b = texts(2), texts(1, seed=3)
    both = join(a, b)
    assert torch.equal(both.pooled, torch.cat([a.pooled, b.pooled]))
    twice = both.repeated(2)
    assert torch.equal(twice.tokens[2:4], both.tokens[[1, 1]])
    assert torch.equal(twice.mask[4:], both.mask[[2, 2]])


def test_a_text_that_fits_is_let_through(texts):
    check_text(texts(2), Space("any", 24), 7, "a.safetensors")
