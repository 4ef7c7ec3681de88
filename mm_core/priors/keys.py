"""Names of the original Karlo and Kandinsky 2.1 prior files, as the names of later ones."""

from collections.abc import Mapping

from ..types import Tensor

Shape = tuple[int, ...]
_WHOLE = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "clip_img_proj": "proj_in",
    "text_emb_proj": "embedding_proj",
    "text_enc_proj": "encoder_hidden_states_proj",
    "final_ln": "norm_out",
    "out_proj": "proj_to_clip_embeddings",
}
_IN_BLOCK = {
    "attn.c_proj": "attn1.to_out.0",
    "mlp.c_fc": "ff.net.0.proj",
    "mlp.c_proj": "ff.net.2",
    "ln_1": "norm1",
    "ln_2": "norm3",
}
_SINGLE = {"prd_emb": "prd_embedding"}
PREFIX, BLOCKS, TOGETHER = "model.", "transformer.resblocks.", "attn.c_qkv"


def is_original(names: Mapping[str, object]) -> bool:
    """Whether a file is named as the originals are."""
    return any(name.removeprefix(PREFIX).startswith(BLOCKS) for name in names)


def renamed(name: str) -> str:
    """One original name as the later one; queries, keys and values of a layer keep one name."""
    bare = name.removeprefix(PREFIX)
    stem, dot, kind = bare.rpartition(".")
    if bare.startswith(BLOCKS):
        index, _, part = stem.removeprefix(BLOCKS).partition(".")
        return f"transformer_blocks.{index}.{_IN_BLOCK.get(part, part)}{dot}{kind}"
    if stem in _WHOLE:
        return f"{_WHOLE[stem]}{dot}{kind}"
    return _SINGLE.get(bare, bare)


def renamed_shapes(shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """Names and shapes of an original file, as the later ones would have them."""
    out: dict[str, Shape] = {}
    for name, shape in shapes.items():
        later = renamed(name)
        if TOGETHER in later and shape and shape[0] % 3 == 0:
            for part in "qkv":
                out[later.replace(TOGETHER, f"attn1.to_{part}")] = (shape[0] // 3, *shape[1:])
        else:
            out[later] = shape
    return out


def renamed_tensors(tensors: Mapping[str, Tensor], heads: int) -> dict[str, Tensor]:
    """The same for the tensors. The originals hold query, key and value of a head side by side."""
    out: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        later = renamed(name)
        if TOGETHER in later:
            apart = tensor.unflatten(0, (heads, 3, -1))
            for k, part in enumerate("qkv"):
                out[later.replace(TOGETHER, f"attn1.to_{part}")] = apart[:, k].flatten(0, 1)
        else:
            out[later] = tensor
    return out
