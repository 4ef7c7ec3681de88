"""An input that disagrees is turned down."""

import torch
import torch.nn.functional as F

from mm_core.types import ModalityEmbedding

WIDTHS = {"text": 8, "style": 8, "audio": 8}
SETTINGS = {"widths": WIDTHS, "space": 8, "strength": 2.0, "expected": 0.8}


def facing(name, direction):
    return ModalityEmbedding(name, direction.expand(1, 3, 8), torch.ones(1, 3, dtype=torch.bool))


def test_the_one_that_disagrees_is_turned_down_most_and_shown(noise, make):
    first, second = F.normalize(noise(1, 8), dim=-1), F.normalize(noise(1, 8), dim=-1)
    second = F.normalize(second - (second @ first.T) * first, dim=-1)
    block = make("congruence", **SETTINGS, trust_base=False)
    odd = facing("audio", second)
    found = block([facing("text", first), facing("style", first), odd])
    # text and style: cosine 1 with each other, 0 with audio; audio: 0 with both.
    for name, agreed in (("text", 0.5), ("style", 0.5), ("audio", 0.0)):
        torch.testing.assert_close(found.agreement[name], torch.tensor([agreed]))
        loud = torch.exp(torch.tensor([-2.0 * (0.8 - agreed)]))
        torch.testing.assert_close(found.shares[name], loud)
    heard = found.embedding.tokens[:, 3:6]  # text, audio, style
    torch.testing.assert_close(heard, odd.tokens * found.shares["audio"][:, None, None])


def test_the_base_is_trusted_unless_asked_otherwise(noise, make):
    pair = [facing("text", noise(1, 8)), facing("style", noise(1, 8))]
    found = make("congruence", **SETTINGS)(pair)
    assert found.shares["text"].item() == 1
    assert found.shares["style"].item() < 1
    assert torch.equal(found.embedding.tokens[:, :3], pair[0].tokens)
    both = make("congruence", **SETTINGS, trust_base=False)(pair).shares
    assert both["text"].item() == both["style"].item() < 1


def test_inputs_that_agree_are_heard_in_full_bit_for_bit(noise, make):
    same = noise(1, 8)
    found = make("congruence", **SETTINGS, trust_base=False)(
        [facing("text", same), facing("style", 2 * same)]
    )
    assert torch.equal(found.embedding.tokens[:, 3:], (2 * same).expand(1, 3, 8))
