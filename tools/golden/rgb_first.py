"""Writes fixtures/images/rgb-first.json: the images of fixtures/images as torchvision's ImageFolder loads them.

Its loader converts an image to RGB before the transform; open_clip's transform alone converts after the resize.

    python tools/golden/rgb_first.py
"""

import hashlib
import json
from pathlib import Path

import reference  # noqa: F401
import open_clip
import PIL
import torchvision
from open_clip.transform import image_transform
from torchvision.datasets.folder import pil_loader

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "images"
TRANSFORMS = [
    {"size": 32, "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0},
    {"size": 24, "interpolation": "bilinear", "resize_mode": "longest", "fill_color": 200},
]

cases = []
for case in json.loads((FOLDER / "cases.json").read_text())["cases"]:
    if "refused" in case or case["mode"] == "RGB":
        continue
    transforms = []
    for config in TRANSFORMS:
        transform = image_transform(config["size"], False, **{k: config[k] for k in config if k != "size"})
        floats = transform(pil_loader(str(FOLDER / case["file"]))).numpy()
        transforms.append(config | {"sha256": hashlib.sha256(floats.tobytes()).hexdigest()})
    cases.append({"file": case["file"], "mode": case["mode"], "transforms": transforms})

made = {
    "command": "python tools/golden/rgb_first.py",
    "pillow": PIL.__version__,
    "torchvision": torchvision.__version__,
    "open_clip": open_clip.__version__,
}
lines = ",\n".join(json.dumps(case) for case in cases)
(FOLDER / "rgb-first.json").write_text(f'{{"made": {json.dumps(made)},\n"cases": [\n{lines}\n]}}\n')
print(f"{len(cases)} images in {FOLDER / 'rgb-first.json'}")
