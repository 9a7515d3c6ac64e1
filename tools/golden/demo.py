"""Writes fixtures/demo-golden.json, the golden of the demo model on its sample images.

    python tools/golden/demo.py

OpenCLIP computes every step from image files and texts to logits: the eval transform, the tokenizer, both towers.
"""

import json
import os
from pathlib import Path

import reference
import torch
from open_clip.tokenizer import HFTokenizer
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "fixtures" / "demo-model"

TEXTS = [
    "two red circles",
    "an orange heart on a blue background",
    "three brown stars",
    "la foto di un cerchio rosso",
    "quattro quadrati viola",
    "緑の三日月が四つ",
    "ピンクのリング",
    "一个黄色的三角形",
    "蓝色的十字",
    "something else entirely, &amp; quite a bit longer than the others, so that batches are padded",
]


def main() -> None:
    model, config = reference.load(MODEL)
    preprocess = image_transform_v2(
        PreprocessCfg(**config["preprocess_cfg"], size=model.visual.image_size), is_train=False
    )
    names = sorted(os.listdir(MODEL / "samples"))
    pixels = torch.stack([preprocess(Image.open(MODEL / "samples" / name)) for name in names])
    ids = HFTokenizer(os.fspath(MODEL), context_length=77)(TEXTS)
    with torch.no_grad():
        images = model.encode_image(pixels, normalize=True)
        texts = model.encode_text(ids, normalize=True)
        logits = model.logit_scale.exp() * images @ texts.T
    golden = {
        "versions": reference.versions(),
        "command": "python tools/golden/demo.py",
        "images": names,
        "texts": TEXTS,
        "logits": logits.tolist(),
    }
    (ROOT / "fixtures" / "demo-golden.json").write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
