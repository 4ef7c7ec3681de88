"""Writes docs/encoders.md from the table of families.

Run from the pack's folder: python scripts/make_encoders_doc.py
"""

import sys
from pathlib import Path
from typing import get_args

ROOT = Path(__file__).absolute().parents[1]
sys.path.insert(0, str(ROOT))

from mm_core.encoders.encoder import Kind
from mm_core.encoders.families import FAMILIES
from mm_core.encoders.family import Family
from mm_core.weights.save import write_text

OUT = ROOT / "docs" / "encoders.md"
HEAD = """# Encoders

The tables are written by `python scripts/make_encoders_doc.py` from the rows beside the code.

An encoder is a model of someone else's in a folder: `config.json`, `model.safetensors`, and the
files that say how its input is prepared (`preprocessor_config.json`, or a tokenizer's; the CLIP
vision folders that come with image-prompt adapters have none and need none). Download the whole
folder of a model, with safetensors, by whatever means you like; nothing here ever opens a
connection. `mmc doctor --encoders DIR` says what each folder is, and why one cannot be used, as far
as the files beside the weights tell; weights are read, and refused by name, when one is opened.

    mmc encode image photo.png --model models/clip-vit-h --out photo.safetensors
    mmc encode text "a red bird" --model models/clip-vit-h --out bird
    mmc encode video frames/ --rate 24 --model models/videomae --out walk

```python
encoder = load_encoder(Path("models/clip-vit-h"), kind="image")  # mm_core.encoders.families
found = encoder(picture)  # (b, 3, h, w) in 0..1
found.embedding.tokens, found.embedding.mask, found.vector
```

## What holds for all

- A folder is loaded by transformers, 4.50 to 5, with `local_files_only`, `use_safetensors` and
  without `trust_remote_code`. Missing tensors and tensors of other shapes are refused by name; code
  in the folder is never run; pickled weights are refused with the `mmc convert` that makes them
  readable.
- The row is found by `model_type` in `config.json`. A folder that holds two halves (CLIP, SigLIP,
  CLAP) serves for both; say which with the kind.
- Numbers are those that transformers itself gives for the same folder, bit for bit, on releases
  4.50 and 5.23 (`pytest -m parity tests/parity/test_encoders.py`). Samples are run one by one, so
  they never influence each other; results are float32 whatever the weights are.
- Texts are cut where the model ends, and the log says by how much. Pictures go through the folder's
  own image processor as 8-bit RGB; the last levels of its result depend on whether torchvision is
  installed. Sounds are averaged over channels and resampled to the model's rate; what is longer
  than a window (CLAP 10 s, Whisper and Wav2Vec2 30 s) is heard in windows.
- A video is seen by VideoMAE as the frames it was trained on, evenly over the whole time; or by any
  encoder of pictures once a second, with sinusoids of the second added to the tokens.
- Vectors are as the model gives them, not L2-normalised, unless the table says so.

## What ComfyUI's own Load CLIP Vision opens

| model | tokens | last tokens | one vector |
|---|---|---|---|
| CLIP L, H, bigG, LLaVA's | before the last layer, not normed | after it, not normed | projected |
| SigLIP, SigLIP 2, NaFlex | before the last layer | after it, normed | none: see below |
| DINOv2 large, giant | before the last layer | after it, normed | the first token |
| DINOv3 large, huge (newer ComfyUI) | none | after it, normed | the first token |

All are what transformers gives of the same file (`pytest -m host
tests/nodes/test_inside_vision.py`). ComfyUI leaves SigLIP's pooling out: for its vector open the
whole folder with Load Encoder. CLIP Vision Encode itself fails on DINOv3; **Encode Image** and
**Encode Video** read it. Vectors of DINO are as wide as a CLIP's (1024) and say nothing to what
reads those: our image prompts, priors and **Image Variations** refuse them by name.

## Depth, poses and segmentations

    mmc encode depth photo.png --model models/depth-anything --out photo-depth
    mmc encode pose photo.png --model models/vitpose --detector models/rt-detr --out photo-pose
    mmc encode segmentation photo.png --model models/segformer-ade --out photo-classes

- They are what transformers and the family's own post-processing give, without any difference
  (`pytest -m parity tests/parity/test_estimators.py`), at the picture's own size, whatever that is;
  a long side of at most 50 times the short one. A picture of 30 megapixels needs less than 2 GiB
  beside the model and the masks asked for.
- Depth is in metres or is inverse depth without a scale, and `depth_unit` says which. A map of it
  (`control`) is near = white in both. Depth Pro without a field-of-view model gives inverse depth;
  DPT on DINOv2 gives metres.
- Poses are of 17 joints (COCO) or 133 (COCO-WholeBody: hands, face and feet, too). People are where
  boxes are given (`Boxed`), else where RT-DETR finds them, else the picture is taken for one.
  Nobody is no error: the frame is empty.
- Classes are the model's own, painted in ADE20K's or COCO's colours where they are these. There is
  a mask for each class shown; `only` names fewer.
- SAM is asked with `Prompted`: points (x, y, 1 or 0) about one thing, or boxes, one thing each;
  without, a grid of points finds everything, and `grid` says how finely it looks.
"""
TITLES = {
    "text": "Text", "image": "Pictures", "depth": "Depth", "pose": "Pose",
    "segmentation": "Segmentation", "audio": "Sound", "video": "Video",
}  # fmt: skip


def row(family: Family) -> str:
    """One line of a table."""
    types = ", ".join(f"`{name}`" for name in family.model_types)
    needs = [f"transformers {family.since}"] if family.since else []
    needs += family.extras
    cells = [
        family.name, types, family.gives, family.unit, family.good_for, ", ".join(needs) or "-",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def document() -> str:
    """The whole page."""
    parts = [HEAD]
    for kind in get_args(Kind):
        rows = [row(family) for family in FAMILIES if family.kind == kind]
        if rows:
            parts.append(
                f"\n## {TITLES[kind]}\n\n"
                "| family | model_type | gives | unit | good for | needs |\n"
                "|---|---|---|---|---|---|\n" + "".join(rows)
            )
    return "".join(parts)


if __name__ == "__main__":
    write_text(document(), OUT)
    print(OUT)
