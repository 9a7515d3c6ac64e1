"""The participant Pillow: decodes, resizes, crops and normalises as open_clip's eval transform does.

    python pillow.py SIZE
"""

import sys

import numpy as np
import PIL
import serve
from PIL import Image

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


def prepare(path: str, size: int) -> np.ndarray:
    image = Image.open(path).convert("RGB")
    scale = size / min(image.size)
    image = image.resize([round(edge * scale) for edge in image.size], Image.Resampling.BICUBIC)
    left, top = ((edge - size) // 2 for edge in image.size)
    values = np.asarray(image.crop((left, top, left + size, top + size)), np.float32) / 255
    return np.ascontiguousarray(((values - MEAN) / STD).transpose(2, 0, 1))


def main() -> None:
    size = int(sys.argv[1])

    def run(request: dict) -> None:
        for _ in range(request["count"]):
            prepare(request["path"], size)

    serve.serve("Pillow", PIL.__version__, {"preprocess": lambda request: serve.timed(lambda: run(request))})


if __name__ == "__main__":
    main()
