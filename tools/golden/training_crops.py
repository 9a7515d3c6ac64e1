"""Writes fixtures/training/crops.json: the order of examples and the random crops of open_clip's training loader.

    python tools/golden/training_crops.py

A DataLoader as open_clip_train.data makes it (shuffle, drop_last), over images of fixtures/images, with 0 and 2 workers.
For each image of two epochs: its index, its crop (top, left, height, width), and a digest of the transformed pixels.
Once with open_clip's default, once with a wider range of crops, colour jitter and greyscale (`--aug-cfg`).
"""

import hashlib
import json
import random
from pathlib import Path

import reference  # noqa: F401
import open_clip
import torch
import torchvision
from open_clip.transform import image_transform
from PIL import Image
from torch.utils.data import DataLoader, Dataset

ROOT = Path(__file__).resolve().parents[2] / "fixtures"
SEED = 3
SIZE = 28
BATCH = 4
AUGMENTATION = {
    "scale": (0.4, 1.0),
    "color_jitter": (0.4, 0.3, 0.5, 0.1),
    "color_jitter_prob": 0.8,
    "gray_scale_prob": 0.2,
}

boxes: list[list[int]] = []
original = torchvision.transforms.RandomResizedCrop.get_params


def recorded(*arguments):
    box = original(*arguments)
    boxes.append(list(box))
    return box


torchvision.transforms.RandomResizedCrop.get_params = staticmethod(recorded)


class Images(Dataset):
    def __init__(self, files: list[str], augmentation: dict | None):
        self.files = files
        self.transform = image_transform(SIZE, is_train=True, aug_cfg=augmentation)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int):
        pixels = self.transform(Image.open(ROOT / "images" / self.files[index])).numpy()
        return index, boxes[-1], hashlib.sha256(pixels.tobytes()).hexdigest()


def main() -> None:
    cases = json.loads((ROOT / "images" / "cases.json").read_text())["cases"]
    files = [case["file"] for case in cases if "refused" not in case and case["file"].endswith((".png", ".jpg"))]
    files = [file for file in files if min(Image.open(ROOT / "images" / file).size) > 8][::3]
    runs = []
    for workers, augmentation in ((0, None), (2, None), (0, AUGMENTATION), (2, AUGMENTATION)):
        torch.manual_seed(SEED)
        random.seed(SEED)
        images = Images(files, augmentation)
        loader = DataLoader(
            images, batch_size=BATCH, shuffle=True, num_workers=workers, drop_last=True, collate_fn=list
        )
        epochs = [[[*sample] for batch in loader for sample in batch] for _ in range(2)]
        runs.append({"workers": workers, "augmentation": augmentation, "epochs": epochs})
    made = {"torch": torch.__version__, "torchvision": torchvision.__version__, "open_clip": open_clip.__version__}
    content = {"made": made, "seed": SEED, "size": SIZE, "batch": BATCH, "files": files, "runs": runs}
    (ROOT / "training" / "crops.json").write_text(json.dumps(content) + "\n")
    print(f"{len(files)} images")


if __name__ == "__main__":
    main()
