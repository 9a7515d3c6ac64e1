"""Loads model directories written by `clipscope convert` into OpenCLIP's model, strictly.

    python tools/golden/check_strict.py MODEL_DIRECTORY… [--goldens FOLDER]

Prints one line per directory. A missing, unexpected or misshapen key is an error. With --goldens, OpenCLIP's features of
the inputs in FOLDER/NAME/golden.safetensors must agree with that golden's, for a directory called NAME: for models of
other projects, whose goldens are of their own classes (origins.py).
"""

import argparse
from pathlib import Path

import reference
import safetensors.torch
import torch

TOLERANCE = 1e-5

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("directories", nargs="+", type=Path, metavar="MODEL_DIRECTORY")
parser.add_argument("--goldens", type=Path, metavar="FOLDER")
options = parser.parse_args()

for directory in options.directories:
    model, _ = reference.load(directory)
    tensors = sum(1 for _ in model.state_dict())
    line = f"{directory}: {type(model).__name__} loads its {tensors} tensors strictly"
    if options.goldens:
        golden = safetensors.torch.load_file(options.goldens / directory.name / "golden.safetensors")
        with torch.no_grad():
            found = {
                "image_features": model.encode_image(golden["input.image"], normalize=True),
                "text_features": model.encode_text(golden["input.text"], normalize=True),
            }
        for name, value in found.items():
            error = ((value - golden[name]).norm() / golden[name].norm()).item()
            line += f", {name} {error:.1e}"
            if error > TOLERANCE:
                raise SystemExit(f"{line}: more than {TOLERANCE}")
    print(line)
