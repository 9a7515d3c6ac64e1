"""Adds PyTorch's own bfloat16 error to a golden of float64 values, as a yardstick for `verify --precision`.

    python tools/golden/bfloat16.py GOLDEN [--model DIR]

Runs OpenCLIP in pure bfloat16 (`model.bfloat16()`) on the golden's inputs, and writes the metadata `bfloat16_error`: for
each tap ||bfloat16 - tap|| / ||tap||, measured as `verify` measures ours: at the golden's samples, or by the norm of the
whole tap if that differs more. --model is the model directory of a golden that was not made with synthetic weights. The
values of the golden stay as they are.
"""

import argparse
import json
from pathlib import Path

import reference
import golden
import numpy as np
import safetensors
import safetensors.torch
import synthetic
import torch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("golden", type=Path)
    parser.add_argument("--model", type=Path, metavar="DIR")
    options = parser.parse_args()
    with safetensors.safe_open(options.golden, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if "float32_error" not in metadata:
        parser.error(f"{options.golden}: expected a golden of float64 values (golden.py --float64)")
    model = load(metadata, options.model).bfloat16()
    pixels, ids = tensors.get("input.image"), tensors.get("input.text")
    if pixels is None and "image_shape" in metadata:
        pixels = torch.from_numpy(synthetic.values("input.image", tuple(json.loads(metadata["image_shape"]))))
    compared = golden.Compared(model, ids)
    taps = golden.golden(model, None if pixels is None else pixels.bfloat16(), ids)
    samples = int(metadata.get("samples", 0))
    errors = {}
    for name, exact in tensors.items():
        if name.startswith("input."):
            continue
        values = compared.values(name, taps[name])
        if samples:
            norm, wanted = float(exact[0]), exact[2:].double().numpy()
            error = golden.relative_l2(golden.at_samples(name, values, samples), wanted)
            error = max(error, abs(float(np.linalg.norm(values)) - norm) / norm)
        else:
            error = golden.relative_l2(values, compared.values(name, exact))
        errors[name] = float(f"{error:.4g}")
    worst = max(errors, key=errors.get)
    print(f"PyTorch's own bfloat16 error: {errors[worst]:.2e} at most, at {worst}")
    for name in ("image_features", "text_features"):
        if name in errors:
            print(f"{name}: {errors[name]:.2e}")
    safetensors.torch.save_file(tensors, options.golden, metadata | {"bfloat16_error": json.dumps(errors)})


def load(metadata: dict[str, str], directory: Path | None) -> torch.nn.Module:
    if metadata.get("weights") == "synthetic":
        return reference.build(reference.published_config(metadata["arch"]), values=synthetic.values)
    if directory is None:
        raise SystemExit("this golden was made with a model directory; name it with --model")
    return reference.load(directory)[0]


if __name__ == "__main__":
    main()
