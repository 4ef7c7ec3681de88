"""The original names against the later ones, written out."""

import torch

from mm_core.priors.keys import is_original, renamed, renamed_shapes, renamed_tensors

PAIRS = {
    "model.positional_embedding": "positional_embedding",
    "model.prd_emb": "prd_embedding",
    "model.time_embed.0.weight": "time_embedding.linear_1.weight",
    "model.time_embed.2.bias": "time_embedding.linear_2.bias",
    "model.clip_img_proj.weight": "proj_in.weight",
    "model.text_emb_proj.weight": "embedding_proj.weight",
    "model.text_enc_proj.bias": "encoder_hidden_states_proj.bias",
    "model.transformer.resblocks.11.attn.c_proj.weight": (
        "transformer_blocks.11.attn1.to_out.0.weight"
    ),
    "model.transformer.resblocks.3.mlp.c_fc.bias": "transformer_blocks.3.ff.net.0.proj.bias",
    "model.transformer.resblocks.3.mlp.c_proj.weight": "transformer_blocks.3.ff.net.2.weight",
    "model.transformer.resblocks.0.ln_1.weight": "transformer_blocks.0.norm1.weight",
    "model.transformer.resblocks.0.ln_2.bias": "transformer_blocks.0.norm3.bias",
    "model.final_ln.weight": "norm_out.weight",
    "model.out_proj.bias": "proj_to_clip_embeddings.bias",
    "clip_mean": "clip_mean",
}


def test_every_name_has_its_later_name():
    assert {name: renamed(name) for name in PAIRS} == PAIRS
    assert {renamed(name.removeprefix("model.")) for name in PAIRS} == set(PAIRS.values())


def test_queries_keys_and_values_of_a_head_lie_side_by_side():
    """Row r of head h's query is row 3 * size * h + r of what the original keeps together."""
    heads, size = 2, 4
    rows = torch.arange(3.0 * heads * size)[:, None].expand(-1, 5)
    name = "model.transformer.resblocks.0.attn.c_qkv.weight"
    found = renamed_tensors({name: rows}, heads)
    for k, part in enumerate("qkv"):
        got = found[f"transformer_blocks.0.attn1.to_{part}.weight"][:, 0].tolist()
        assert got == [h * 3 * size + k * size + r for h in range(heads) for r in range(size)]


def test_shapes_are_renamed_as_tensors_are():
    given = {
        "model.transformer.resblocks.0.attn.c_qkv.weight": torch.zeros(24, 8),
        "model.transformer.resblocks.0.attn.c_qkv.bias": torch.zeros(24),
        "model.prd_emb": torch.zeros(1, 1, 8),
    }
    shapes = renamed_shapes({n: tuple(t.shape) for n, t in given.items()})
    tensors = renamed_tensors(given, 2)
    assert shapes == {n: tuple(t.shape) for n, t in tensors.items()}


def test_files_are_told_apart():
    assert is_original({"model.transformer.resblocks.0.ln_1.weight": 0})
    assert not is_original({"transformer_blocks.0.norm1.weight": 0, "prd_embedding": 0})
