"""Writes fixtures/training/metrics.json: the retrieval metrics of open_clip_train's validation, of random features.

    python tools/golden/training_metrics.py
"""

import json
from pathlib import Path

import reference  # noqa: F401
import torch
from open_clip_train.train import get_clip_metrics

ROWS, WIDTH = 40, 6

generator = torch.Generator().manual_seed(9)
images = torch.nn.functional.normalize(torch.randn(ROWS, WIDTH, generator=generator), dim=1)
noise = torch.randn(ROWS, WIDTH, generator=generator)
texts = torch.nn.functional.normalize(images + 0.8 * noise, dim=1)
metrics = get_clip_metrics(images, texts, torch.tensor(20.0))
content = {
    "width": WIDTH,
    "images": images.flatten().tolist(),
    "texts": texts.flatten().tolist(),
    "metrics": {name: float(value) for name, value in metrics.items()},
}
out = Path(__file__).resolve().parents[2] / "fixtures" / "training" / "metrics.json"
out.write_text(json.dumps(content) + "\n")
print(metrics)
