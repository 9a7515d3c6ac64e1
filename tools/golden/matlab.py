"""Writes fixtures/eval/matlab: files as scipy writes them, plain and compressed, of the structures in ImageNet's meta.mat.

    python tools/golden/matlab.py
"""

from pathlib import Path

import numpy as np
from scipy.io import savemat

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "eval" / "matlab"
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


if __name__ == "__main__":
    main()
