"""open_clip_train's step with a locked image tower, on the CPU: python contrastive_step.py MODEL SETTINGS.json

Prints the seconds of each step and the process's peak memory. Token ids are padded to the context, as open_clip's
tokenizer does.
"""

import json
import logging
import resource
import sys
import time
from pathlib import Path
from types import SimpleNamespace

# In place of this folder, whose names could hide other modules.
sys.path[0] = str(Path(__file__).resolve().parents[2] / "tools" / "golden")

import reference
import torch
import training
from open_clip.loss import ClipLoss
from open_clip_train import train

logging.disable(logging.INFO)
settings = json.loads(Path(sys.argv[2]).read_text())
model, config = reference.load(Path(sys.argv[1]))
model.output_dict = True
model.lock_image_tower()
options = SimpleNamespace(**training.DEFAULTS | {"lr": 1e-5, "warmup": 0})
optimizer, _ = training.adamw(model, options)
context = config["model_cfg"]["text_cfg"].get("context_length", 77)
pad = reference.special_ids(model).pad
size = model.visual.image_size
size = (size, size) if isinstance(size, int) else tuple(size)


class Loader:
    """One batch for each call of train_one_epoch."""

    num_batches = 1

    def __init__(self, rows: list[list[int]]):
        ids = torch.full((len(rows), context), pad)
        for row, given in zip(ids, rows, strict=True):
            row[: len(given)] = torch.tensor(given)
        self.batch = (torch.randn(len(rows), 3, *size), ids)
        self.num_samples = len(rows)
        self.dataloader = self

    def set_epoch(self, epoch: int) -> None:
        pass

    def __iter__(self):
        return iter([self.batch])


args = SimpleNamespace(
    device="cpu", precision="fp32", distill=False, horovod=False, skip_scheduler=True, rank=0, local_rank=0,
    world_size=1, distributed=False, log_every_n_steps=10**6, wandb=False, log_local=False,
    batch_size=len(settings["rows"][0]), **vars(options),
)  # fmt: skip
seconds = []
for rows in settings["rows"]:
    data = {"train": Loader(rows)}
    start = time.perf_counter()
    train.train_one_epoch(model, data, ClipLoss(), 0, optimizer, None, None, None, args)
    seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": seconds, "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
