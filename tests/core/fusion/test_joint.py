"""One space for all inputs."""

import torch

from mm_core.fusion.contrastive import contrastive_of_all, top_1
from mm_core.fusion.inputs import by_modality


def test_every_input_is_one_unit_vector_and_an_absent_one_is_none(three, make, stirred):
    found = stirred(make("joint"))(three).embedding
    assert found.modality == "text+audio+style"
    assert found.tokens.shape == (2, 3, 128)
    assert found.mask.tolist() == [[True, True, True], [True, False, True]]
    torch.testing.assert_close(found.tokens.norm(dim=-1), found.mask.float())


def test_agreement_is_of_the_vectors_that_come_out(three, make, stirred):
    found = stirred(make("joint"))(three)
    text, audio, style = found.embedding.tokens[0]
    torch.testing.assert_close(found.agreement["text"][0], (text @ audio + text @ style) / 2)
    torch.testing.assert_close(found.agreement["text"][1], found.agreement["style"][1])
    assert found.agreement["audio"][1] == 0


def test_the_loss_is_the_contrastive_one_and_reaches_every_weight(three, make, stirred):
    block = stirred(make("joint"))
    loss = block.loss(three)
    vectors, there = block.vectors(by_modality(three, block.config))
    torch.testing.assert_close(loss, contrastive_of_all(vectors, there, block.log_scale))
    loss.backward()
    assert all(p.grad is not None for p in block.parameters())
    assert block.log_scale.grad.abs() > 0


def test_pairs_that_share_a_hidden_vector_find_each_other_after_a_short_fit(noise, make):
    from mm_core.types import ModalityEmbedding

    hidden, mix = noise(96, 6), {"text": noise(6, 32), "style": noise(6, 24)}

    def pair(rows):
        tokens = {n: (hidden[rows] @ m).unflatten(1, (-1, 8)) for n, m in mix.items()}
        return [
            ModalityEmbedding(n, t + 0.05 * noise(*t.shape), torch.ones(t.shape[:2]) > 0)
            for n, t in tokens.items()
        ]

    block = make("joint", widths={"text": 8, "style": 8}, space=16)
    optimizer = torch.optim.Adam(block.parameters(), lr=1e-2)

    def found():
        with torch.no_grad():
            held_out = by_modality(pair(torch.arange(64, 96)), block.config)
            return min(top_1(*block.vectors(held_out)[0].values()))

    assert found() < 0.2
    for step in range(80):
        loss = block.loss(pair(torch.arange(64).roll(step)[:32]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert found() > 0.8
