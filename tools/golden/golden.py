"""Makes a golden: the inputs and every module's output of one forward pass of OpenCLIP, as one safetensors file.

    python tools/golden/golden.py --model DIR --out golden.safetensors [--seed 0] [--images 2] [--texts 3] [--length 12]

The inputs are random: normal pixels, and token ids between the special ones, in rows of different lengths.
"""

import argparse
import shlex
import sys
from pathlib import Path

import reference
import safetensors.torch
import torch


def random_inputs(model, seed: int, images: int, texts: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """[images, 3, H, W] and [texts, length]; text i is i / texts shorter than the first, the rest is padding."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randn(images, 3, *model.visual.image_size, generator=generator)
    if hasattr(model, "text") and hasattr(model.text, "config"):
        vocabulary, (start, end, pad) = model.text.config.vocab_size, (0, 2, model.text.config.pad_token_id)
    else:  # CLIP's own text tower: the end of text has the largest id, and all rows are as long as the context
        vocabulary, length = model.vocab_size - 2, model.context_length
        start, end, pad = vocabulary, vocabulary + 1, 0
    ids = torch.full((texts, length), pad)
    for i in range(texts):
        tokens = length - i * length // texts
        ids[i, :tokens] = torch.randint(4, vocabulary, (tokens,), generator=generator)
        ids[i, 0], ids[i, tokens - 1] = start, end
    return pixels, ids


def golden(model, pixels: torch.Tensor, ids: torch.Tensor) -> dict[str, torch.Tensor]:
    outputs = {}

    def run() -> None:
        image = outputs["image_features"] = model.encode_image(pixels, normalize=True)
        text = outputs["text_features"] = model.encode_text(ids, normalize=True)
        outputs["logits_per_image"] = model.logit_scale.exp() * image @ text.T

    taps = reference.record(model, run)
    return {"input.image": pixels, "input.text": ids, **taps, **outputs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="model directory")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--texts", type=int, default=3)
    parser.add_argument("--length", type=int, default=12, help="tokens of the longest text")
    options = parser.parse_args()

    model, _ = reference.load(options.model)
    inputs = random_inputs(model, options.seed, options.images, options.texts, options.length)
    metadata = {
        **reference.versions(),
        "seed": str(options.seed),
        "command": shlex.join(["python", *sys.argv]),
    }
    safetensors.torch.save_file(golden(model, *inputs), options.out, metadata)


if __name__ == "__main__":
    main()
