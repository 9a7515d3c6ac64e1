"""Writes saliency goldens of tiny models, computed by the papers' definitions in PyTorch.

    python tools/golden/saliency.py --model fixtures/tiny/gelu-mlp --out fixtures/tiny/gelu-mlp/saliency.safetensors

The score is the cosine similarity of image 0 and text 0. The file holds the inputs and
- `score`, and `gradient`: of the score, for the pixels;
- `integrated`: integrated gradients from an image of zeros, by the midpoint rule in 8 steps (Sundararajan et al. 2017,
  arXiv 1703.01365, equation 3); `integrated.score`, the score of the image of zeros;
- `relevance.image.S`, `relevance.text.S`: the relevance of each token from layer S on (Chefer et al. 2021,
  arXiv 2103.15679, equations 5 and 6): R = I; R = R + E_heads[max(0, ∇A · A)] R. The row of the class token, of the
  end-of-text token, or the mean of the rows of all tokens, as the tower pools.
"""

import argparse
import shlex
import sys
from pathlib import Path

import reference
import safetensors.torch
import torch
from explicit_attention import explicit_attention
from golden import random_inputs

STEPS = 8


def score_of(model: torch.nn.Module, pixels: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    images = model.encode_image(pixels, normalize=True)
    texts = model.encode_text(ids, normalize=True)
    return (images * texts).sum()


def integrated_gradients(model: torch.nn.Module, pixels: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    total = torch.zeros_like(pixels)
    for step in range(STEPS):
        at = (pixels.detach() * (step + 0.5) / STEPS).requires_grad_()
        score_of(model, at, ids).backward()
        total += at.grad / STEPS
    return total * pixels.detach()


def relevance(layers: list[torch.Tensor], row: torch.Tensor) -> torch.Tensor:
    """Layers: attention probabilities [1, heads, L, L] with gradients, in order. Row: which rows of R are averaged. [L]"""
    length = layers[0].shape[-1] if layers else row.shape[0]
    total = torch.eye(length)
    for attention in layers:
        mixture = (attention.grad * attention.detach()).clamp(min=0).mean(1)[0]
        total = total + mixture @ total
    return row @ total


def pooled_row(model: torch.nn.Module, ids: torch.Tensor) -> torch.Tensor:
    if reference.is_plain(model):
        return torch.nn.functional.one_hot(ids.argmax(-1)[0], ids.shape[1]).float()
    if type(model.text.pooler).__name__ == "MeanPooler":
        mask = reference.is_token(model, ids)[0].float()
        return mask / mask.sum()
    return torch.nn.functional.one_hot(torch.tensor(0), ids.shape[1]).float()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="model directory")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    model, _ = reference.load(options.model)
    pixels, ids = random_inputs(model, seed=11, images=1, texts=1, length=9)
    pixels.requires_grad_()
    with explicit_attention(model) as probabilities:
        score = score_of(model, pixels, ids)
    score.backward()
    of_image = [value for name, value in probabilities.items() if name.startswith("visual.")]
    of_text = [value for name, value in probabilities.items() if not name.startswith("visual.")]
    class_row = torch.nn.functional.one_hot(torch.tensor(0), of_image[0].shape[-1]).float()
    tensors = {
        "input.image": pixels.detach(),
        "input.text": ids,
        "score": score.detach(),
        "gradient": pixels.grad,
        "integrated": integrated_gradients(model, pixels, ids),
        "integrated.score": score_of(model, torch.zeros_like(pixels), ids).detach(),
        **{f"relevance.image.{i}": relevance(of_image[i:], class_row) for i in range(len(of_image))},
        **{f"relevance.text.{i}": relevance(of_text[i:], pooled_row(model, ids)) for i in range(len(of_text))},
    }
    metadata = {**reference.versions(), "command": shlex.join(["python", *sys.argv])}
    safetensors.torch.save_file({name: value.contiguous() for name, value in tensors.items()}, options.out, metadata)


if __name__ == "__main__":
    main()
