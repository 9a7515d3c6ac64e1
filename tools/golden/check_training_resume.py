"""Checks that open_clip continues from a checkpoint of clipscope with the same losses.

    node dist/tools/golden/training-checkpoint.js epoch_3.pt && python tools/golden/check_training_resume.py epoch_3.pt

The checkpoint is loaded as open_clip_train.main does; then open_clip's own loop runs the last two epochs of the golden
`full`. Their losses and the final weights must be those of the golden, which open_clip trained alone.
"""

import logging
import sys
from pathlib import Path
from types import SimpleNamespace

import safetensors.torch
import torch
import training
from open_clip_train.file_utils import pt_load


def main() -> None:
    logging.disable(logging.INFO)
    options = SimpleNamespace(**training.DEFAULTS | training.CASES["full"])
    model = training.build(options)
    optimizer, names = training.adamw(model, options)
    checkpoint = pt_load(sys.argv[1], map_location="cpu")
    epoch = checkpoint["epoch"]
    model.load_state_dict(checkpoint["state_dict"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    losses = training.train_epochs(model, optimizer, options, range(epoch, options.epochs))

    golden = safetensors.torch.load_file(training.ROOT / "full.safetensors")
    expected = golden["loss"][-len(losses) :]
    difference = ((torch.tensor(losses, dtype=torch.float64) - expected) / expected).abs().max().item()
    parameters = dict(model.named_parameters())
    final = training.sample([parameters[name] for name in names])
    weights = golden[f"weight.{len(golden['loss'])}"]
    distance = ((final - weights).norm() / weights.norm()).item()
    print(f"epochs {epoch} to {options.epochs}: losses differ by at most {difference:.1e}, weights by {distance:.1e}")
    if not (difference < 1e-5 and distance < 1e-5):
        raise SystemExit(f"{Path(sys.argv[1])}: open_clip does not continue as it should")


if __name__ == "__main__":
    main()
