#!/usr/bin/env bash
# The diffusion prior of dalle2-pytorch hears its text whatever cond_drop_prob says.
# Seen on 2026-12-01 with dalle2-pytorch 1.8.4, torch 2.13.0, Python 3.11.
# Its network works out which texts are dropped, and never hands that mask to its transformer. So
# training with cond_drop_prob = 1 still learns from the text, and cond_scale, which mixes in an
# answer "without text", mixes in the same answer and does nothing. Both rows of a guided step are
# equal to the last bit. Priors trained by it cannot be guided; dropping texts has to be done
# outside, by replacing the tensors.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
python="$folder/venv/bin/python"
"$python" -m pip install --quiet --no-deps dalle2-pytorch==1.8.4
"$python" -m pip install --quiet torch==2.13.0 numpy==2.2.6 einops==0.8.1 einops-exts==0.0.4 \
    rotary-embedding-torch==0.8.9 tqdm==4.67.1
cat >"$folder/prior.py" <<'PY'
import importlib.metadata
import importlib.util
import sys
import types

import torch


class Anything(types.ModuleType):
    """What the file imports for its decoder and its training; none of it is touched here."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


for name in (
    "beartype", "beartype.typing", "coca_pytorch", "coca_pytorch.coca_pytorch", "dalle2_pytorch",
    "dalle2_pytorch.tokenizer", "dalle2_pytorch.version", "dalle2_pytorch.vqgan_vae",
    "kornia", "kornia.augmentation", "kornia.filters", "resize_right",
    "torchvision", "torchvision.transforms", "vector_quantize_pytorch", "x_clip",
):
    sys.modules[name] = Anything(name)
path = importlib.metadata.distribution("dalle2-pytorch").locate_file(
    "dalle2_pytorch/dalle2_pytorch.py"
)
spec = importlib.util.spec_from_file_location("prior_of_dalle2_pytorch", path)
library = importlib.util.module_from_spec(spec)
spec.loader.exec_module(library)

torch.manual_seed(0)
network = library.DiffusionPriorNetwork(dim=32, depth=2, dim_head=8, heads=4, max_text_len=6).eval()
picture, text = torch.randn(2, 2, 32).unbind()
given = dict(text_embed=text, text_encodings=torch.randn(2, 6, 32))
with torch.no_grad():
    time = torch.tensor([500, 500])
    heard = network(picture, time, **given, cond_drop_prob=0.0)
    dropped = network(picture, time, **given, cond_drop_prob=1.0)
    other = network(picture, time, text_embed=-text, text_encodings=given["text_encodings"])
print("dalle2-pytorch", importlib.metadata.version("dalle2-pytorch"), "torch", torch.__version__)
print("text dropped against text heard, largest difference:", float((dropped - heard).abs().max()))
print("another text against this one, largest difference:  ", float((other - heard).abs().max()))
if not torch.equal(dropped, heard) or torch.equal(other, heard):
    sys.exit("changed: dropping the text now does something")
PY
"$python" "$folder/prior.py"
