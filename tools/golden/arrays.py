"""Writes fixtures/eval/arrays: files of arrays as numpy and scipy write them.

    python tools/golden/arrays.py

VALUES of each dtype as `.npy` in versions 1 to 3 of the format, and structures as in ImageNet's meta.mat, plain and
compressed.
"""

from pathlib import Path

import numpy as np
from scipy.io import savemat

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "eval" / "arrays"
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"]
VALUES = [0, 1, 1, 0, 1]
FIELDS = [
    ("ILSVRC2012_ID", "O"),
    ("WNID", "O"),
    ("words", "O"),
    ("num_children", "O"),
    ("children", "O"),
    ("cell", "O"),
]
ROWS = [
    (1, "n02119789", "kit fox, Vulpes macrotis", 0, np.array([]), np.array(["x"], dtype=object)),
    (300, "n02100735", "Jäger, 猫", 0, np.array([]), np.array([1, "y"], dtype=object)),
    (1001.5, "n00001740", "", 3, np.array([1, 70000, 2], dtype=np.int32), np.array([], dtype=object)),
]


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    structs = np.array(ROWS, dtype=FIELDS).reshape(-1, 1)
    for name, compressed in (("plain", False), ("compressed", True)):
        content = {"other": np.eye(2), "synsets": structs}
        savemat(FOLDER / f"{name}.mat", content, do_compression=compressed)
    for dtype in DTYPES:
        np.save(FOLDER / f"{dtype}.npy", np.array(VALUES, dtype=dtype))
    for version in ((2, 0), (3, 0)):
        with (FOLDER / f"version-{version[0]}.npy").open("wb") as file:
            np.lib.format.write_array(file, np.array(VALUES, dtype="float32"), version=version)
    np.save(FOLDER / "matrix.npy", np.eye(2))
    np.save(FOLDER / "big-endian.npy", np.array(VALUES, dtype=">f4"))


if __name__ == "__main__":
    main()
