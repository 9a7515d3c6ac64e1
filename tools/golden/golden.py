"""Writes a golden: the inputs and the output of every module of one forward pass of OpenCLIP, as a safetensors file.

    python tools/golden/golden.py --model DIR --image cat.jpg --text "a cat" --float64 --out golden.safetensors

The model is one of
    --model DIR                    a model directory (open_clip_config.json, weights, tokenizer), as downloaded
    --model DIR --synthetic        the architecture of a model directory with weights derived from names
    --arch NAME --weights FILE     an architecture of OpenCLIP with a checkpoint that OpenCLIP can load
    --arch NAME --init-seed N      an architecture with random weights; --save DIR writes it as a model directory
    --arch NAME --synthetic        an architecture with weights derived from names (synthetic.py), which `verify`
                                   computes itself

The inputs are images and texts (--image, --text, both may be repeated), preprocessed and tokenized by OpenCLIP, or else
random: normal pixels (synthetic ones with --synthetic), and token ids in rows of different lengths. With images or texts
only, the golden covers one tower; for random inputs use `--images 0` or `--texts 0`.

--float64 also runs the model in double precision. The taps then hold those values, rounded to float32, and the metadata
`float32_error` holds PyTorch's own float32 error at each tap: ||float32 - tap|| / ||tap||.
--samples N stores the norm, the mean and N values of each tap, skips modules that return their input, and measures the
float32 error at those values.
"""

import argparse
import json
import shlex
import sys
from pathlib import Path

import reference
import numpy as np
import safetensors.torch
import synthetic
import torch

Inputs = tuple[torch.Tensor | None, torch.Tensor | None]


def random_inputs(
    model: torch.nn.Module, seed: int, images: int, texts: int, length: int, values=None
) -> Inputs:
    """[images, 3, H, W] and [texts, length]. Text i is i / texts shorter than the first, and padded.

    values: a function that computes the pixels, such as synthetic.values. Default: normally distributed pixels.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (images, 3, *model.visual.image_size)
    pixels = torch.randn(shape, generator=generator)
    if values is not None:
        pixels = torch.from_numpy(values("input.image", shape))
    special = reference.special_ids(model)
    if reference.is_plain(model):
        length = model.context_length
    ids = torch.full((texts, length), special.pad)
    for i in range(texts):
        tokens = length - i * length // texts
        ids[i, :tokens] = torch.randint(4, special.limit, (tokens,), generator=generator)
        ids[i, 0], ids[i, tokens - 1] = special.start, special.end
    return (pixels if images else None), (ids if texts else None)


def golden(model: torch.nn.Module, pixels: torch.Tensor | None, ids: torch.Tensor | None) -> dict[str, torch.Tensor]:
    outputs = {}

    def run() -> None:
        if pixels is not None:
            outputs["image_features"] = model.encode_image(pixels, normalize=True)
        if ids is not None:
            outputs["text_features"] = model.encode_text(ids, normalize=True)
        if len(outputs) == 2:
            image, text = outputs["image_features"], outputs["text_features"]
            outputs["logits_per_image"] = model.logit_scale.exp() * image @ text.T

    taps = reference.record(model, run)
    return taps | outputs


class Compared:
    """The values of taps that are compared: all but those at padding, which are arbitrary."""

    def __init__(self, model: torch.nn.Module, ids: torch.Tensor | None):
        self.ids = ids
        self.mask = None if ids is None else reference.is_token(model, ids)

    def values(self, name: str, tap: torch.Tensor) -> np.ndarray:
        if self.ids is not None and not name.startswith("visual") and tap.dim() == 3 and tap.shape[:2] == self.ids.shape:
            tap = tap[self.mask]
        return tap.double().numpy().ravel()


def relative_l2(ours: np.ndarray, exact: np.ndarray) -> float:
    norm = np.linalg.norm(exact)
    return float(np.linalg.norm(ours - exact) / norm) if norm else 0.0


def at_samples(name: str, values: np.ndarray, count: int) -> np.ndarray:
    """The values at positions given by hashes of the tap's name with 0, 1, …; all values if count is 0."""
    return values[synthetic.hashes(name, count) % np.uint32(values.size)] if count else values


def sample(name: str, values: np.ndarray, count: int) -> torch.Tensor:
    samples = at_samples(name, values, count)
    return torch.from_numpy(np.concatenate([[np.linalg.norm(values), values.mean()], samples])).float()


def main() -> None:
    options = parse()
    model, config = open_model(options)
    if options.image or options.text:
        pixels, ids = reference.preprocess(model, config, options.image, options.text)
    else:
        values = synthetic.values if options.synthetic else None
        pixels, ids = random_inputs(
            model, options.seed, options.images, options.texts, options.length, values
        )

    metadata = {**reference.versions(), "seed": str(options.seed), "command": shlex.join(["python", *sys.argv])}
    taps = golden(model, pixels, ids)
    compared = Compared(model, ids)
    exact = {}
    if options.float64:
        exact = golden(model.double(), None if pixels is None else pixels.double(), ids)
        single, taps = taps, {name: tap.float() for name, tap in exact.items()}

        def error(name: str) -> float:
            pair = [compared.values(name, run[name]) for run in (single, taps)]
            return relative_l2(*(at_samples(name, values, options.samples) for values in pair))

        errors = {name: error(name) for name in taps}
        metadata["float32_error"] = json.dumps({name: float(f"{error:.4g}") for name, error in errors.items()})
        print(f"PyTorch's own float32 error: at most {max(errors.values()):.2e}, at {max(errors, key=errors.get)}")
    if options.samples:
        idle = {n for n, m in model.named_modules() if isinstance(m, torch.nn.Identity | torch.nn.Dropout)}
        taps = {
            name: sample(name, compared.values(name, exact.get(name, tap)), options.samples)
            for name, tap in taps.items()
            if name not in idle
        }
        metadata["samples"] = str(options.samples)
    inputs = {"input.image": pixels, "input.text": ids}
    if options.synthetic:
        metadata |= {"arch": options.arch or options.model.name, "weights": "synthetic"}
        if options.samples and pixels is not None:
            metadata["image_shape"] = json.dumps(pixels.shape)
            del inputs["input.image"]
    tensors = {name: value for name, value in inputs.items() if value is not None} | taps
    safetensors.torch.save_file(tensors, options.out, metadata)
    print(f"{options.out}: {len(taps)} taps")


def open_model(options: argparse.Namespace) -> tuple[torch.nn.Module, dict]:
    if options.model and options.synthetic:
        config = json.loads((options.model / "open_clip_config.json").read_text())
        return reference.build(config, options.model, values=synthetic.values), config
    if options.model:
        return reference.load(options.model)
    config = reference.published_config(options.arch)
    if options.weights:
        return reference.build(config, weights=options.weights), config
    if options.synthetic:
        return reference.build(config, values=synthetic.values), config
    torch.manual_seed(options.init_seed)
    model = reference.build(config)
    if options.save:
        reference.save(model, config, options.save)
    return model, config


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, metavar="DIR")
    parser.add_argument("--arch", metavar="NAME")
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument("--weights", type=Path, metavar="FILE")
    weights.add_argument("--init-seed", type=int, metavar="N")
    weights.add_argument("--synthetic", action="store_true")
    parser.add_argument("--save", type=Path, metavar="DIR")
    parser.add_argument("--image", action="append", default=[], type=Path, metavar="FILE")
    parser.add_argument("--text", action="append", default=[])
    parser.add_argument("--float64", action="store_true")
    parser.add_argument("--samples", type=int, default=0, metavar="N")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--seed", type=int, default=0, help="seed of random inputs")
    parser.add_argument("--images", type=int, default=2, help="number of random images")
    parser.add_argument("--texts", type=int, default=3, help="number of random texts")
    parser.add_argument("--length", type=int, default=12, help="tokens of the longest random text (ignored for English models)")
    options = parser.parse_args()
    has_weights = options.weights is not None or options.init_seed is not None or options.synthetic
    is_whole = options.arch is None and (options.synthetic or not has_weights)
    if (options.model is None) == (options.arch is None) or (options.model is not None) != is_whole:
        parser.error("give --model DIR, or --arch NAME with one of --weights, --init-seed and --synthetic")
    if options.save and options.init_seed is None:
        parser.error("--save requires --init-seed")
    return options


if __name__ == "__main__":
    main()
