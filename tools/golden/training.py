"""Writes goldens of training: open_clip_train's own train_one_epoch on very small models and given batches.

    python tools/golden/training.py [CASE…]     # fixtures/training

`fixtures/training/MODEL` are the models before training, `pairs.safetensors` what they learn. `CASE.safetensors` holds
`loss` and `rate` of each step, `norm` (before clipping), and after steps 1, N/2 and N `weight.STEP`, `mean.STEP`
and `square.STEP` (AdamW's moments; after step 1 the mean is the gradient times 1 − β₁): up to SAMPLES evenly spaced numbers of each parameter, one after another in
the order of the metadata's `parameters`. `full-resume.pt` is what open_clip saves after three
epochs of `full`. `untrained` lists parameters whose values must not have changed.
"""

import json
import logging
import math
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import reference
import safetensors.torch
import torch
from open_clip.loss import ClipLoss
from open_clip_train import scheduler as schedulers
from open_clip_train import train
from training_dropout import given_dropout
from training_models import PAIRS, ids_of, write

ROOT = Path(__file__).resolve().parents[2] / "fixtures" / "training"
SAMPLES = 24
BATCH = 6
RESUMED = 3  # the epoch of the case "full" that full-resume.pt continues with
DEFAULTS = {
    "model": "multilingual",
    "lr": 5e-4,
    "beta1": 0.9,
    "beta2": 0.98,
    "eps": 1e-6,
    "wd": 0.2,
    "warmup": 3,
    "epochs": 2,
    "accum_freq": 1,
    "grad_clip_norm": None,
    "lr_scheduler": "cosine",
    "epochs_cooldown": None,
    "lr_cooldown_power": 1.0,
    "lr_cooldown_end": 0.0,
    "lock_image": False,
    "lock_image_unlocked_groups": 0,
    "lock_text": False,
    "lock_text_unlocked_layers": 0,
    "lock_text_freeze_layer_norm": False,
    "logit_scale": None,
    "dropout": 0.0,
}
CASES = {
    "full": {"epochs": 5},
    "bert": {"model": "bert"},
    "plain": {"model": "plain"},
    "lock-image": {"lock_image": True},
    "lock-image-1": {"lock_image": True, "lock_image_unlocked_groups": 1},
    "lock-image-2": {"lock_image": True, "lock_image_unlocked_groups": 2},
    "lock-text": {"lock_text": True},
    "lock-text-norms": {"lock_text": True, "lock_text_freeze_layer_norm": True},
    "lock-text-1": {"lock_text": True, "lock_text_unlocked_layers": 1},
    "lock-text-3": {"lock_text": True, "lock_text_unlocked_layers": 3},
    "plain-lock-text-2": {
        "model": "plain",
        "lock_text": True,
        "lock_text_unlocked_layers": 2,
        "lock_text_freeze_layer_norm": True,
    },
    "accum-2": {"accum_freq": 2, "lock_image": True, "epochs": 3},
    "accum-3": {"accum_freq": 3, "epochs": 5},
    "clip": {"grad_clip_norm": 1.0},
    "accum-2-clip": {"accum_freq": 2, "grad_clip_norm": 0.5, "epochs": 3},
    "const": {"lr_scheduler": "const"},
    "cooldown": {
        "lr_scheduler": "const-cooldown",
        "epochs": 3,
        "epochs_cooldown": 2,
        "lr_cooldown_power": 2.0,
        "lr_cooldown_end": 1e-5,
    },
    "warmup-too-long": {"warmup": 100},
    "clamp": {"logit_scale": 4.62},
    "clamp-at-0": {"logit_scale": 5e-4},
    "dropout": {"dropout": 0.1, "lock_image": True},
}


class Batches:
    """A DataLoader as train_one_epoch uses it: the same pairs in another order in each epoch."""

    num_samples = PAIRS
    num_batches = PAIRS // BATCH

    def __init__(self, batches: list[list[torch.Tensor]]):
        self.batches = batches
        self.dataloader = self
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self):
        return iter(self.batches[self.epoch])


def build(options: SimpleNamespace) -> torch.nn.Module:
    model, _ = reference.load(ROOT / options.model)
    model.output_dict = True
    if options.logit_scale is not None:
        model.logit_scale.data.fill_(options.logit_scale)
    if options.lock_image:
        model.lock_image_tower(unlocked_groups=options.lock_image_unlocked_groups)
    if options.lock_text:
        model.lock_text_tower(
            unlocked_layers=options.lock_text_unlocked_layers, freeze_layer_norm=options.lock_text_freeze_layer_norm
        )
    return model


def adamw(model: torch.nn.Module, options: SimpleNamespace) -> tuple[torch.optim.AdamW, list[str]]:
    """As open_clip_train.main creates it, and the names of its parameters in its order."""
    trained = [(name, value) for name, value in model.named_parameters() if value.requires_grad]

    def is_plain(name: str, value: torch.Tensor) -> bool:
        return value.ndim < 2 or any(part in name for part in ("bn", "ln", "bias", "logit_scale"))

    plain = [pair for pair in trained if is_plain(*pair)]
    decayed = [pair for pair in trained if not is_plain(*pair)]
    groups = [
        {"params": [value for _, value in plain], "weight_decay": 0.0},
        {"params": [value for _, value in decayed], "weight_decay": options.wd},
    ]
    betas = (options.beta1, options.beta2)
    optimizer = torch.optim.AdamW(groups, lr=options.lr, betas=betas, eps=options.eps)
    return optimizer, [name for name, _ in plain + decayed]


def schedule(optimizer: torch.optim.Optimizer, options: SimpleNamespace, steps: int, per_epoch: int):
    arguments = (optimizer, options.lr, options.warmup, steps)
    if options.lr_scheduler == "const-cooldown":
        cooldown = (per_epoch * options.epochs_cooldown, options.lr_cooldown_power, options.lr_cooldown_end)
        return schedulers.const_lr_cooldown(*arguments, *cooldown)
    return {"cosine": schedulers.cosine_lr, "const": schedulers.const_lr}[options.lr_scheduler](*arguments)


def sample(values: list[torch.Tensor]) -> torch.Tensor:
    """Up to SAMPLES evenly spaced numbers of each tensor."""
    parts = []
    for value in values:
        flat = value.detach().flatten().float()
        count = min(flat.numel(), SAMPLES)
        parts.append(flat[torch.arange(count) * (flat.numel() - 1) // max(count - 1, 1)])
    return torch.cat(parts)


class Recorder:
    """Observes a run: what the loss returns, and what the optimizer does."""

    def __init__(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, names: list[str], steps: int):
        self.tensors: dict[str, torch.Tensor] = {}
        self.rates, self.norms, self.scales = [], [], []
        parameters = dict(model.named_parameters())
        trained = [parameters[name] for name in names]
        kept = {1, steps // 2, steps}
        original = optimizer.step

        def step() -> None:
            number = len(self.rates) + 1
            original()
            self.rates.append(optimizer.param_groups[0]["lr"])
            if number in kept:
                states = [optimizer.state.get(value, {}) for value in trained]
                for name, key in (("mean", "exp_avg"), ("square", "exp_avg_sq")):
                    pairs = zip(states, trained, strict=True)
                    moments = [state.get(key, torch.zeros_like(value)) for state, value in pairs]
                    self.tensors[f"{name}.{number}"] = sample(moments)
                # After the clamp of the logit scale, which follows the step.
                pairs = zip(names, trained, strict=True)
                clamped = [value.clamp(0, math.log(100)) if name == "logit_scale" else value for name, value in pairs]
                self.tensors[f"weight.{number}"] = sample(clamped)

        optimizer.step = step


def chosen_batches(epochs: int) -> list[list[list[int]]]:
    """The pairs of each batch of each epoch."""
    generator = torch.Generator().manual_seed(5)
    orders = [torch.randperm(PAIRS, generator=generator).tolist() for _ in range(epochs)]
    return [[order[i : i + BATCH] for i in range(0, PAIRS, BATCH)] for order in orders]


def train_epochs(model, optimizer, options, epochs, scales=None, before_epoch=None) -> list[float]:
    """Runs epochs of train_one_epoch. Returns the loss of every batch with gradients."""
    pairs = safetensors.torch.load_file(ROOT / "pairs.safetensors")
    batches = [
        [(pairs["images"][i], ids_of(model, pairs["lengths"][i], pairs["words"][i])) for i in epoch]
        for epoch in chosen_batches(options.epochs)
    ]
    per_epoch = Batches.num_batches // options.accum_freq
    args = SimpleNamespace(
        device="cpu",
        precision="fp32",
        distill=False,
        horovod=False,
        skip_scheduler=False,
        rank=0,
        local_rank=0,
        world_size=1,
        distributed=False,
        log_every_n_steps=1,
        batch_size=BATCH,
        wandb=False,
        log_local=False,
        **vars(options),
    )
    loss, losses = ClipLoss(), []

    def recorded(**features):
        result = loss(**features)
        losses.append(result["contrastive_loss"].item())
        if scales is not None:
            scales.append(features["logit_scale"].item())
        return result

    with given_dropout(model, options.dropout):
        for epoch in epochs:
            if before_epoch is not None:
                before_epoch(epoch)
            scheduler = schedule(optimizer, options, per_epoch * options.epochs, per_epoch)
            data = {"train": Batches(batches)}
            train.train_one_epoch(model, data, recorded, epoch, optimizer, None, scheduler, None, args)
    return losses


def run(name: str, overrides: dict) -> None:
    options = SimpleNamespace(**DEFAULTS | overrides)
    model = build(options)
    before = {key: value.clone() for key, value in model.named_parameters()}
    optimizer, names = adamw(model, options)
    steps = Batches.num_batches // options.accum_freq * options.epochs
    recorder = Recorder(model, optimizer, names, steps)
    clip = torch.nn.utils.clip_grad_norm_

    def clipped(*arguments, **keywords):
        norm = clip(*arguments, **keywords)
        recorder.norms.append(norm.item())
        return norm

    def before_epoch(epoch: int) -> None:
        if name == "full" and epoch == RESUMED:
            checkpoint = {"epoch": epoch, "name": name, "state_dict": model.state_dict()}
            torch.save(checkpoint | {"optimizer": optimizer.state_dict()}, ROOT / "full-resume.pt")

    torch.nn.utils.clip_grad_norm_ = clipped
    try:
        losses = train_epochs(model, optimizer, options, range(options.epochs), recorder.scales, before_epoch)
    finally:
        torch.nn.utils.clip_grad_norm_ = clip
    untrained = [key for key, value in model.named_parameters() if key not in names]
    assert all(torch.equal(before[key], value) for key, value in model.named_parameters() if key in untrained)
    metadata = {
        **reference.versions(),
        "command": shlex.join(["python", *sys.argv]),
        "options": json.dumps(vars(options)),
        "batches": json.dumps(chosen_batches(options.epochs)),
        "parameters": json.dumps(names),
        "untrained": json.dumps(untrained),
    }
    recorder.tensors |= {
        "loss": torch.tensor(losses, dtype=torch.float64),
        "rate": torch.tensor(recorder.rates, dtype=torch.float64),
        "norm": torch.tensor(recorder.norms, dtype=torch.float64),
        "scale": torch.tensor(recorder.scales, dtype=torch.float64),
    }
    safetensors.torch.save_file(recorder.tensors, ROOT / f"{name}.safetensors", metadata)
    print(f"{name}: {steps} steps, {len(names)} parameters, loss {losses[0]:.4f} to {losses[-1]:.4f}")


def main() -> None:
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    write(ROOT)
    for name in sys.argv[1:] or CASES:
        run(name, CASES[name])


if __name__ == "__main__":
    main()
