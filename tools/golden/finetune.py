"""Writes goldens of fine-tuning: the loops of wise-ft and FLYP, LoRA by peft, and wise-ft's interpolation, in PyTorch.

    PYTHONPATH=PEFT .venv/bin/python tools/golden/finetune.py     # fixtures/finetune; PEFT: a folder with peft 0.21

They begin with fixtures/training/multilingual and learn the images of fixtures/training/pairs.safetensors. `CASE.safetensors`
holds `loss` of each step, and after steps 1, N/2 and N `weight.STEP.NAME` and `mean.STEP.NAME` (AdamW's first moment;
after step 1 it is the gradient, clipped, times 1 - β₁). `merge.safetensors` holds `ALPHA.NAME`: (1 - α) w₀ + α w₁ of the
case `blocks`. `adapter/` is what peft saves of the case `lora`, and `adapter.safetensors` the features of the model with it.
"""

import json
import shlex
import sys
from pathlib import Path

import numpy as np
import reference
import safetensors.torch
import torch
import torch.nn.functional as F
from open_clip.loss import ClipLoss
from peft import LoraConfig, get_peft_model
from training_models import PAIRS, ids_of

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
ROOT = FIXTURES / "finetune"
CLASSES, BATCH, EPOCHS, WARMUP = 4, 6, 5, 3
RANK, ALPHA = 2, 4
TARGETS = r"visual\.transformer\.resblocks\.\d\.(attn|mlp\.c_fc|mlp\.c_proj)"
CASES = {
    "blocks": {"lr": 1e-3, "wd": 0.1, "smoothing": 0.1, "blocks": 1, "clip": 1.0},
    "all-blocks": {"lr": 5e-4, "wd": 0.1, "smoothing": 0.0, "blocks": 2, "clip": 1.0},
    "lora": {"lr": 2e-3, "wd": 0.01, "smoothing": 0.0, "blocks": 2, "clip": 1.0},
    "flyp": {"lr": 5e-4, "wd": 0.2, "smoothing": 0.0, "blocks": 1, "clip": None},
}


def batches() -> list[list[int]]:
    generator = torch.Generator().manual_seed(6)
    orders = [torch.randperm(PAIRS, generator=generator).tolist() for _ in range(EPOCHS)]
    return [order[i : i + BATCH] for order in orders for i in range(0, PAIRS, BATCH)]


def cosine(step: int, steps: int, rate: float) -> float:
    """wise-ft's cosine_lr, which FLYP has too."""
    if step < WARMUP:
        return rate * (step + 1) / WARMUP
    return 0.5 * (1 + np.cos(np.pi * (step - WARMUP) / (steps - WARMUP))) * rate


def smoothed(logits: torch.Tensor, labels: torch.Tensor, smoothing: float) -> torch.Tensor:
    """wise-ft's LabelSmoothing."""
    logprobs = F.log_softmax(logits, dim=-1)
    truth = -logprobs.gather(dim=-1, index=labels[:, None]).squeeze(1)
    return ((1 - smoothing) * truth + smoothing * -logprobs.mean(dim=-1)).mean()


def unlock(model: torch.nn.Module, name: str, blocks: int) -> None:
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    parts = [model.visual.ln_post, *model.visual.transformer.resblocks[-blocks:]]
    if name == "flyp":
        parts += [model.text.proj, *model.text.transformer.encoder.layer[-blocks:]]
        model.logit_scale.requires_grad_(True)
    for part in parts:
        part.requires_grad_(True)
    model.visual.proj.requires_grad_(True)


def with_adapters(model: torch.nn.Module) -> torch.nn.Module:
    """peft's, without the second addition of the output matrix's change (huggingface/peft, pull request 3774)."""
    adapted = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS))
    generator = torch.Generator().manual_seed(9)
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            noise = torch.randn(parameter.shape, generator=generator)
            # B of the output matrix stays 0: then peft's second addition changes nothing.
            parameter.data = torch.zeros_like(noise) if "out_proj.lora_B" in name else 0.3 * noise
            parameter.requires_grad_("out_proj" not in name)
    return adapted


def run(name: str, options: dict) -> dict[str, torch.Tensor]:
    model, _ = reference.load(FIXTURES / "training" / "multilingual")
    model.eval()
    data = safetensors.torch.load_file(FIXTURES / "training" / "pairs.safetensors")
    labels = torch.arange(PAIRS) % CLASSES
    if name == "lora":
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        adapted = with_adapters(model)
    else:
        unlock(model, name, options["blocks"])
    head = torch.nn.Linear(8, CLASSES)
    generator = torch.Generator().manual_seed(8)
    head.weight.data = 3 * torch.randn(head.weight.shape, generator=generator)
    head.bias.data.zero_()
    found = {"head.weight": head.weight.detach().clone()} if name != "flyp" else {}
    named = [(key, value) for key, value in model.named_parameters() if value.requires_grad]
    if name != "flyp":
        named += [(f"head.{key}", value) for key, value in head.named_parameters()]
    if name == "lora":
        found |= {f"start.{key}": value.detach().clone() for key, value in named if "lora_" in key}
    params = [value for _, value in named]
    optimizer = torch.optim.AdamW(params, lr=options["lr"], weight_decay=options["wd"])
    contrastive, losses, norms = ClipLoss(), [], []
    order = batches()
    kept = {1, len(order) // 2, len(order)}
    for step, batch in enumerate(order):
        optimizer.param_groups[0]["lr"] = cosine(step, len(order), options["lr"])
        optimizer.zero_grad()
        # No module sees train(): dropout is off. The outer module of peft merges before each pass.
        features = F.normalize(model.encode_image(data["images"][batch]), dim=-1)
        if name == "flyp":
            ids = ids_of(model, data["lengths"][batch], data["words"][batch])
            texts = F.normalize(model.encode_text(ids), dim=-1)
            loss = contrastive(features, texts, model.logit_scale.exp())
        else:
            loss = smoothed(head(features), labels[batch], options["smoothing"])
        loss.backward()
        if options["clip"] is not None:
            norms.append(torch.nn.utils.clip_grad_norm_(params, options["clip"]).item())
        optimizer.step()
        losses.append(loss.item())
        if step + 1 in kept:
            for key, value in named:
                found[f"weight.{step + 1}.{key}"] = value.detach().clone()
                found[f"mean.{step + 1}.{key}"] = optimizer.state[value]["exp_avg"].clone()
    found["loss"] = torch.tensor(losses, dtype=torch.float64)
    found["norm"] = torch.tensor(norms, dtype=torch.float64)
    metadata = {
        **reference.versions(),
        "command": shlex.join(["python", *sys.argv]),
        "options": json.dumps(options | {"warmup": WARMUP, "rank": RANK, "alpha": ALPHA}),
        "batches": json.dumps(order),
        "parameters": json.dumps([key for key, _ in named]),
    }
    tensors = {key: value.contiguous() for key, value in found.items()}
    safetensors.torch.save_file(tensors, ROOT / f"{name}.safetensors", metadata)
    print(f"{name}: {len(order)} steps, {len(named)} parameters, loss {losses[0]:.4f} to {losses[-1]:.4f}")
    if name == "lora":
        adapted.save_pretrained(ROOT / "adapter")
        (ROOT / "adapter" / "README.md").unlink(missing_ok=True)
        config = json.loads((ROOT / "adapter" / "adapter_config.json").read_text())
        config["base_model_name_or_path"] = "multilingual"
        (ROOT / "adapter" / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
        with torch.no_grad():
            features = model.encode_image(data["images"])
        safetensors.torch.save_file({"features": features.contiguous()}, ROOT / "adapter.safetensors", metadata)
    return found


def main() -> None:
    ROOT.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    model, _ = reference.load(FIXTURES / "training" / "multilingual")
    start = {key: value.clone() for key, value in model.state_dict().items()}
    for name, options in CASES.items():
        found = run(name, options)
        if name == "blocks":
            last = len(batches())
            tuned = {key: found[f"weight.{last}.{key}"] for key in start if f"weight.{last}.{key}" in found}
            merged = {
                f"{alpha}.{key}": (1 - alpha) * start[key] + alpha * tuned[key]
                for alpha in (0.1, 0.5, 0.7)
                for key in tuned
            }
            safetensors.torch.save_file(merged, ROOT / "merge.safetensors", reference.versions())


if __name__ == "__main__":
    main()
