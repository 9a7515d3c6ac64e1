"""The participant open_clip_train: its own loop with a locked image tower, a batch for each request.

    python contrastive_step.py MODEL

Token ids are padded to the context, as open_clip's tokenizer does.
"""

import logging
import resource
import sys
from pathlib import Path
from types import SimpleNamespace

import serve

# In place of this folder, whose names could hide other modules.
sys.path[0] = str(Path(__file__).resolve().parents[2] / "tools" / "golden")

import reference  # noqa: E402  (before anything that imports torchvision)

import open_clip  # noqa: E402
import torch  # noqa: E402
import training  # noqa: E402
from open_clip.loss import ClipLoss  # noqa: E402
from open_clip_train import train  # noqa: E402

logging.disable(logging.INFO)
torch.set_num_threads(serve.cores())
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
    """One batch, as train_one_epoch reads it."""

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


def step(request: dict) -> dict:
    args = SimpleNamespace(
        device="cpu", precision="fp32", distill=False, horovod=False, skip_scheduler=True, rank=0, local_rank=0,
        world_size=1, distributed=False, log_every_n_steps=10**6, wandb=False, log_local=False,
        batch_size=len(request["rows"]), **vars(options),
    )  # fmt: skip
    data = {"train": Loader(request["rows"])}
    return serve.timed(lambda: train.train_one_epoch(model, data, ClipLoss(), 0, optimizer, None, None, None, args))


def memory(_: dict) -> dict:
    return {"seconds": 0, "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


version = f"{torch.__version__}, open_clip {open_clip.__version__}"
serve.serve("open_clip_train", version, {"train": step, "memory": memory})
