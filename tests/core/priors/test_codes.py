"""Embeddings as whole numbers."""

import pytest
import torch

from mm_core.errors import InputError
from mm_core.priors.codes import REACH, Codes, dot_buckets, fit_codes, principal


@pytest.fixture
def cloud(rng):
    """2000 points that vary by 3, 1 and .1 along known directions, about a known mean."""
    axes = torch.linalg.qr(torch.randn(6, 6, generator=rng))[0]
    along = torch.randn(2000, 3, generator=rng) * torch.tensor([3.0, 1.0, 0.1])
    return along @ axes[:, :3].T + 5, axes


def test_components_are_ordered_orthonormal_and_those_of_the_data(cloud):
    vectors, axes = cloud
    mean, basis, variance = principal(vectors, 3)
    torch.testing.assert_close(mean, vectors.mean(0), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(basis.T @ basis, torch.eye(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(variance.sqrt(), torch.tensor([3.0, 1.0, 0.1]), rtol=0.05, atol=0)
    assert ((basis * axes[:, :3]).sum(0).abs() > 0.999).all()
    assert (basis.gather(0, basis.abs().argmax(0, keepdim=True)) > 0).all()


def test_codes_lose_at_most_half_a_bucket_of_each_component(cloud):
    vectors, _ = cloud
    codes = fit_codes(vectors, 3, 1024)
    numbers = codes.encode(vectors)
    assert numbers.min() >= 0
    assert numbers.max() < 1024
    off = (codes.decode(numbers) - vectors) @ codes.basis
    inside = ((vectors - codes.mean) @ codes.basis).abs() < codes.reach
    assert (off.abs() <= codes.reach / 1024 + 1e-5)[inside].all()
    torch.testing.assert_close(codes.reach, REACH * torch.tensor([3.0, 1.0, 0.1]), rtol=0.05,
                               atol=0)  # fmt: skip


def test_decoding_is_undone_by_encoding(cloud):
    codes = fit_codes(cloud[0], 3, 16)
    numbers = torch.randint(16, (50, 3), generator=torch.Generator().manual_seed(0))
    assert torch.equal(codes.encode(codes.decode(numbers)), numbers)


def test_what_lies_beyond_is_in_the_last_bucket():
    codes = Codes(torch.zeros(1), torch.ones(1, 1), torch.ones(1), 4)
    found = codes.encode(torch.tensor([[-9.0], [-1.0], [-0.1], [0.1], [0.9], [9.0]]))
    assert found[:, 0].tolist() == [0, 0, 1, 2, 3, 3]
    middles = codes.decode(torch.tensor([[0], [3]]))[:, 0]
    torch.testing.assert_close(middles, torch.tensor([-0.75, 0.75]))


def test_inner_products_have_equal_buckets():
    found = dot_buckets(torch.tensor([-5.0, 0.0, 0.49, 0.51, 1.0, 7.0]), 0.0, 1.0, 2)
    assert found.tolist() == [0, 0, 0, 1, 1, 1]


def test_too_many_components_or_too_few_points_are_refused(cloud):
    with pytest.raises(InputError, match="7 components of embeddings 6 wide; needed 1 to 6"):
        principal(cloud[0], 7)
    with pytest.raises(InputError, match="1 embeddings have no components"):
        principal(cloud[0][:1], 2)
