"""Writes gradient goldens of tiny models: the contrastive loss and its gradient for every weight and the pixels.

    python tools/golden/gradients.py --model fixtures/tiny/gelu-mlp --out fixtures/tiny/gelu-mlp/gradients.safetensors

The file holds `input.image`, `input.text`, `loss`, `gradient.NAME` by state-dict name, `gradient.input.image`, and
`at.NAME`: the gradient at the output of each block and at each attention's probabilities, by the tap's name.
"""

import argparse
import shlex
import sys
from pathlib import Path

import reference
import safetensors.torch
from explicit_attention import explicit_attention, residual_streams
from golden import random_inputs
from open_clip.loss import ClipLoss

PAIRS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="model directory")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    model, _ = reference.load(options.model)
    pixels, ids = random_inputs(model, seed=7, images=PAIRS, texts=PAIRS, length=9)
    pixels.requires_grad_()
    with explicit_attention(model) as probabilities, residual_streams(model) as streams:
        images = model.encode_image(pixels, normalize=True)
        texts = model.encode_text(ids, normalize=True)
    loss = ClipLoss()(images, texts, model.logit_scale.exp().squeeze())
    loss.backward()
    gradients = {
        f"gradient.{name}": parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None
    }
    tensors = {
        "input.image": pixels.detach(),
        "input.text": ids,
        "loss": loss.detach(),
        "gradient.input.image": pixels.grad,
        **gradients,
        **{f"at.{name}": value.grad for name, value in (probabilities | streams).items()},
    }
    metadata = {**reference.versions(), "command": shlex.join(["python", *sys.argv])}
    safetensors.torch.save_file({name: value.contiguous() for name, value in tensors.items()}, options.out, metadata)


if __name__ == "__main__":
    main()
