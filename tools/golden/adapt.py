"""Writes fixtures/probe/adapt.safetensors: adapters by the formulas and loops of their authors, in PyTorch.

    python tools/golden/adapt.py

`train.*`, `validation.*` hold random unit features and labels, `text` [classes, width] unit embeddings; the scale is 100.
- `tip.logits` F64: Tip-Adapter's logits of the validation rows, with the α and β of the metadata;
- `tip.search` F64 [α, β, accuracy]: Tip-Adapter's search_hp with the scales and steps of ImageNet's config;
- `f.keys.E` F32: Tip-Adapter-F's keys after epoch E (torch's AdamW and cosine, batches of 8, seed 0), `f.losses` of each
  step;
- `head.LAMBDA` F64: the minimum of mean cross-entropy + λ/2 ‖W − 100 T‖² / 100² (scipy's L-BFGS-B).
"""

import sys
from pathlib import Path

import numpy as np
import safetensors.torch
import scipy.optimize
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

ROOT = Path(__file__).resolve().parents[2]
CLASSES, WIDTH, SHOTS, HELD, EPOCHS, BATCH = 5, 24, 4, 60, 6, 8
ALPHA, BETA, SCALE = 1.17, 1.0, 100.0
PENALTIES = [0.1, 10.0, 1000.0]


def draw() -> dict[str, torch.Tensor]:
    random = np.random.default_rng(5)
    centres = random.normal(size=(CLASSES, WIDTH))
    common = 8 * random.normal(size=WIDTH)  # as in CLIP, whose features share a direction
    found = {"text": 8 * random.normal(size=WIDTH) + centres + 1.5 * random.normal(size=(CLASSES, WIDTH))}
    for split, rows in (("train", SHOTS * CLASSES), ("validation", HELD)):
        labels = random.permutation(np.arange(rows) % CLASSES)
        found[f"{split}.features"] = common + centres[labels] + 1.2 * random.normal(size=(rows, WIDTH))
        found[f"{split}.labels"] = labels
    unit = {name: torch.from_numpy(value) for name, value in found.items()}
    return {
        name: value if name.endswith("labels") else F.normalize(value, dim=-1).float() for name, value in unit.items()
    }


def tip_logits(features, keys, values, weights, alpha, beta):
    affinity = features @ keys
    return SCALE * features @ weights + ((-1) * (beta - beta * affinity)).exp() @ values * alpha


def accuracy(logits, labels):
    return 100 * (logits.argmax(1) == labels).float().sum().item() / len(labels)


def search(features, labels, keys, values, weights):
    best = (0.0, 0.0, 0.0)
    for beta in [i * (7 - 0.1) / 200 + 0.1 for i in range(200)]:
        for alpha in [i * (3 - 0.1) / 20 + 0.1 for i in range(20)]:
            found = accuracy(tip_logits(features, keys, values, weights, alpha, beta), labels)
            if found > best[2]:
                best = (alpha, beta, found)
    return torch.tensor(best, dtype=torch.float64)


def train_keys(data, values, weights):
    adapter = torch.nn.Linear(SHOTS * CLASSES, WIDTH, bias=False)
    adapter.weight = torch.nn.Parameter(data["train.features"].clone())
    adapter.forward = lambda x: x @ adapter.weight.t()
    dataset = TensorDataset(data["train.features"], data["train.labels"])
    torch.manual_seed(0)
    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True)
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=0.001, eps=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * len(loader))
    found, losses = {}, []
    for epoch in range(EPOCHS):
        for features, target in loader:
            logits = tip_logits(features, adapter.weight.t(), values, weights, ALPHA, BETA)
            loss = F.cross_entropy(logits, target)
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
        found[f"f.keys.{epoch + 1}"] = adapter.weight.detach().clone()
    return found | {"f.losses": torch.tensor(losses, dtype=torch.float64)}


def head(data, penalty):
    features, labels = data["train.features"].double(), data["train.labels"]
    origin = SCALE * data["text"].double()

    def objective(flat):
        weight = torch.from_numpy(flat.reshape(CLASSES, WIDTH)).requires_grad_()
        loss = F.cross_entropy(features @ weight.t(), labels)
        loss = loss + penalty / 2 * ((weight - origin) ** 2).sum() / SCALE**2
        loss.backward()
        return loss.item(), weight.grad.numpy().ravel()

    options = {"gtol": 1e-12, "ftol": 1e-16, "maxiter": 10000}
    result = scipy.optimize.minimize(objective, origin.numpy().ravel(), jac=True, method="L-BFGS-B", options=options)
    return torch.from_numpy(result.x.reshape(CLASSES, WIDTH))


def main() -> None:
    data = draw()
    keys = data["train.features"].t().double()
    values = F.one_hot(data["train.labels"]).double()
    weights = data["text"].t().double()
    held = data["validation.features"].double()
    found = dict(data)
    found["tip.logits"] = tip_logits(held, keys, values, weights, ALPHA, BETA)
    found["tip.search"] = search(held, data["validation.labels"], keys, values, weights)
    found |= train_keys(data, values.float(), weights.float())
    found |= {f"head.{penalty}": head(data, penalty) for penalty in PENALTIES}
    print("zero-shot", accuracy(held @ weights, data["validation.labels"]), "search", found["tip.search"])
    metadata = {"torch": torch.__version__, "scipy": scipy.__version__, "alpha": str(ALPHA), "beta": str(BETA)}
    metadata["command"] = " ".join(["python", *sys.argv])
    tensors = {name: value.contiguous() for name, value in found.items()}
    safetensors.torch.save_file(tensors, ROOT / "fixtures" / "probe" / "adapt.safetensors", metadata)


if __name__ == "__main__":
    main()
