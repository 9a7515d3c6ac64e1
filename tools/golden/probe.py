"""Writes fixtures/probe/golden.safetensors, the golden of the linear probes.

    python tools/golden/probe.py --out fixtures/probe/golden.safetensors

For each case:
- `CASE.features` F32 and `CASE.labels` I64: random features.
- `CASE.C.weight`, `.bias` and `.probabilities` F64: scikit-learn's logistic regression in float64 at its minimum
  (tol 1e-10), with `balanced` after C if classes are weighted.
- `CASE.adamw.DECAY.weight` and `.bias` F32: CLIP_benchmark's linear probe on the CPU with torch's AdamW (seed 0, batches
  of 64 from a shuffling DataLoader, 10 epochs, learning rate 0.1, cosine), by weight decay. `CASE.adamw.start.*` and
  `CASE.adamw.order` I64 [epochs, rows] help to locate a difference.
- `CASE.search.decays` and `.accuracies` F64: CLIP_benchmark's search for the weight decay (find_peak and evaluate), with
  the last third of the rows for validation, in the order of the trials including repeated ones; `.decay` F64 [1], and
  `.weight` and `.bias` F32 trained with it on all rows.
- `CASE.shots.K` I64: the rows of CLIP_benchmark's few-shot selection after torch.manual_seed(0).
"""

import argparse
import json
import math
import shlex
import sys
from pathlib import Path

import numpy as np
import safetensors.torch
import sklearn
import torch
from sklearn.linear_model import LogisticRegression
from torch.utils.data import DataLoader, TensorDataset

# name: rows per class, width, distance between classes
CASES = {
    "two": ([60, 100], 16, 0.6),
    "many": ([20] * 12, 24, 1.0),
    "unbalanced": ([150, 40, 7], 12, 0.8),
}
STRENGTHS = [0.001, 0.316, 100.0]
DECAYS = [0.0, 1e-6, 0.1]
SHOTS = [1, 5]
EPOCHS, BATCH, RATE = 10, 64, 0.1


def draw(random: np.random.Generator, rows: list[int], width: int, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Random features that resemble a network's: dimensions of different scales around a mean far from 0."""
    labels = random.permutation(np.repeat(np.arange(len(rows)), rows))
    scales = np.exp(random.normal(size=width))
    centres = apart * random.normal(size=(len(rows), width))
    values = (centres[labels] + random.normal(size=(len(labels), width))) * scales + 3 * random.normal(size=width)
    return values.astype(np.float32), labels


def regression(features: np.ndarray, labels: np.ndarray, strength: float, weights: str | None) -> dict[str, np.ndarray]:
    model = LogisticRegression(C=strength, tol=1e-10, max_iter=100000, class_weight=weights)
    model.fit(features.astype(np.float64), labels)
    weight, bias = model.coef_, model.intercept_
    if len(weight) == 1:
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return {"weight": weight, "bias": bias, "probabilities": model.predict_proba(features.astype(np.float64))}


def shots(labels: torch.Tensor, k: int) -> torch.Tensor:
    """k rows per class in the order of a random permutation. Source: CLIP_benchmark, metrics/linear_probe.py, evaluate."""
    torch.manual_seed(0)
    counts: dict[int, int] = {}
    chosen = []
    for row in torch.randperm(len(labels)).tolist():
        label = int(labels[row])
        if counts.setdefault(label, 0) < k:
            counts[label] += 1
            chosen.append(row)
    return torch.tensor(chosen)


def search(features: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """The same trials in the same order. Source: CLIP_benchmark, metrics/linear_probe.py, find_peak and evaluate."""
    decays = np.logspace(-6, 2, num=97).tolist()
    first = np.logspace(-6, 2, num=7).tolist()
    kept = len(features) * 2 // 3
    tried, accuracies = [], []

    def find_peak(indices: list[int]) -> int:
        best, most = 0, 0.0
        for index in indices:
            found = adamw(features[:kept], labels[:kept], decays[index])
            weight, bias = found[f"{decays[index]:g}.weight"], found[f"{decays[index]:g}.bias"]
            given = (features[kept:] @ weight.T + bias).argmax(dim=1)
            accuracy = (given == labels[kept:]).double().mean().item()
            tried.append(decays[index])
            accuracies.append(accuracy)
            if most < accuracy:
                best, most = index, accuracy
        return best

    peak = find_peak([i for i, value in enumerate(decays) if value in first])
    span = 8
    while span > 0:
        peak = find_peak([max(peak - span, 0), peak, min(peak + span, len(decays) - 1)])
        span //= 2
    final = adamw(features, labels, decays[peak])
    return {
        "decays": torch.tensor(tried, dtype=torch.float64),
        "accuracies": torch.tensor(accuracies, dtype=torch.float64),
        "decay": torch.tensor([decays[peak]], dtype=torch.float64),
        "weight": final[f"{decays[peak]:g}.weight"],
        "bias": final[f"{decays[peak]:g}.bias"],
    }


def adamw(features: torch.Tensor, labels: torch.Tensor, decay: float) -> dict[str, torch.Tensor]:
    """The same calls in the same order, for the same random numbers. Source: CLIP_benchmark, metrics/linear_probe.py, train."""
    rows = torch.arange(len(features))
    loader = DataLoader(TensorDataset(features, labels, rows), batch_size=BATCH, shuffle=True)
    torch.manual_seed(0)
    model = torch.nn.Linear(features.shape[1], int(labels.max()) + 1)
    start = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=decay)
    steps, step, order = EPOCHS * len(loader), 0, []
    for _ in range(EPOCHS):
        for x, y, row in loader:
            optimizer.param_groups[0]["lr"] = 0.5 * (1 + math.cos(math.pi * step / steps)) * RATE
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            step += 1
            order.append(row)
    trained = {name: value.detach() for name, value in model.named_parameters()}
    common = {"start.weight": start["weight"], "start.bias": start["bias"]}
    common["order"] = torch.cat(order).reshape(EPOCHS, -1)
    return {**common, **{f"{decay:g}.{name}": value for name, value in trained.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)

    random = np.random.default_rng(0)
    tensors: dict[str, torch.Tensor] = {}
    for case, (rows, width, apart) in CASES.items():
        features, labels = draw(random, rows, width, apart)
        tensors |= {f"{case}.features": torch.from_numpy(features), f"{case}.labels": torch.from_numpy(labels)}
        for strength in STRENGTHS:
            for weights in [None, "balanced"] if case == "unbalanced" else [None]:
                name = f"{case}.{strength:g}" + ("" if weights is None else f".{weights}")
                found = regression(features, labels, strength, weights)
                tensors |= {f"{name}.{key}": torch.from_numpy(value) for key, value in found.items()}
        normalised = torch.nn.functional.normalize(torch.from_numpy(features), dim=-1)
        for decay in DECAYS:
            found = adamw(normalised, torch.from_numpy(labels), decay)
            tensors |= {f"{case}.adamw.{key}": value for key, value in found.items()}
        found = search(normalised, torch.from_numpy(labels))
        tensors |= {f"{case}.search.{key}": value for key, value in found.items()}
        tensors |= {f"{case}.shots.{k}": shots(torch.from_numpy(labels), k) for k in SHOTS}

    metadata = {
        "scikit-learn": sklearn.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "cases": json.dumps(list(CASES)),
        "command": shlex.join(["python", *sys.argv]),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file({name: value.contiguous() for name, value in tensors.items()}, options.out, metadata)


if __name__ == "__main__":
    main()
