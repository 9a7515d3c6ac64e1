"""Image files with the results of Pillow and open_clip, in one folder: the files, cases.json and expected.bin.gz.

cases.json lists the mode and size of each file and, for each array, its place in the decompressed expected.bin:
`decoded` (the samples of the mode, row by row; 8-bit, or little-endian 16-bit, 32-bit and float) and, for each
transform, `pixels` (uint8 [size, size, 3], the eval transform up to the conversion to RGB) and `sha256` of the float32
output [3, size, size].
"""

import gzip
import hashlib
import io
import json
import shlex
import sys
import warnings
from pathlib import Path

import reference  # noqa: F401
import numpy as np
import open_clip
import PIL
import torchvision
from open_clip.transform import image_transform
from PIL import Image

warnings.simplefilter("ignore")

DEFAULT = {"size": 224, "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0}


def samples(image: Image.Image) -> np.ndarray:
    """The samples of an image in its mode; bilevel samples are 0 and 255."""
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    array = np.asarray(image)
    return array.astype(array.dtype.newbyteorder("<"))


class Cases:
    def __init__(self, folder: Path):
        self.folder = folder
        self.cases = []
        self.expected = io.BytesIO()
        folder.mkdir(parents=True, exist_ok=True)

    def _put(self, array: np.ndarray) -> dict:
        at = self.expected.tell()
        self.expected.write(np.ascontiguousarray(array).tobytes())
        return {"at": at, "length": self.expected.tell() - at}

    def add(self, name: str, data: bytes, transforms: list[dict], keep_decoded: bool = True) -> None:
        """Records a file, or that Pillow rejects it."""
        (self.folder / name).write_bytes(data)
        case = {"file": name}
        self.cases.append(case)
        try:
            image = Image.open(io.BytesIO(data))
            size = image.size
            image.load()
        except Exception as error:
            case["refused"] = f"{type(error).__name__}: {error}"
            return
        assert image.size == size, name
        case |= {"format": image.format, "mode": image.mode, "width": size[0], "height": size[1]}
        if keep_decoded:
            case["decoded"] = self._put(samples(image))
        case["transforms"] = []
        for given in transforms:
            config = DEFAULT | given
            transform = image_transform(config["size"], False, **{k: config[k] for k in config if k != "size"})
            # Open the image again: the reference transforms an image that is not loaded yet.
            steps = Image.open(io.BytesIO(data))
            for step in transform.transforms[:-2]:
                steps = step(steps)
            floats = transform(Image.open(io.BytesIO(data))).numpy()
            case["transforms"].append(
                config
                | {"pixels": self._put(np.asarray(steps)), "sha256": hashlib.sha256(floats.tobytes()).hexdigest()}
            )

    def write(self) -> None:
        made = {
            "command": shlex.join(["python", *sys.argv]),
            "pillow": PIL.__version__,
            "torchvision": torchvision.__version__,
            "open_clip": open_clip.__version__,
        }
        lines = ",\n".join(json.dumps(case) for case in self.cases)
        (self.folder / "cases.json").write_text(f'{{"made": {json.dumps(made)},\n"cases": [\n{lines}\n]}}\n')
        (self.folder / "expected.bin.gz").write_bytes(gzip.compress(self.expected.getvalue(), 9, mtime=0))
        print(f"{len(self.cases)} cases, {self.expected.tell()} bytes expected, in {self.folder}")
