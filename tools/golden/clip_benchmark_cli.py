"""Runs CLIP_benchmark's own command line on the CPU, with a model directory in place of open_clip's downloads.

    python tools/golden/clip_benchmark_cli.py --clip-benchmark CHECKOUT --webdataset CHECKOUT \\
        [--model-directory fixtures/demo-model] -- eval --dataset wds/NAME --dataset_root ROOT/{dataset} …

Everything behind `--` goes to CLIP_benchmark unchanged, `--no_amp --num_workers 0` are added to `eval`: automatic mixed
precision would compute in bfloat16, and more workers than shards fail. `--model` and `--pretrained` only name the
results. `build` works too.
"""

import argparse
import os
import sys
from pathlib import Path

import clip_benchmark_source
import reference
import torch
from open_clip.tokenizer import HFTokenizer
from open_clip.transform import PreprocessCfg, image_transform_v2

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "fixtures" / "demo-model"


def use_model(directory: Path) -> None:
    """Makes the command line load this model, whatever --model and --pretrained say."""
    from clip_benchmark import cli

    model, config = reference.load(directory)
    settings = PreprocessCfg(**config["preprocess_cfg"], size=model.visual.image_size)
    transform = image_transform_v2(settings, is_train=False)
    tokenizer = HFTokenizer(os.fspath(directory), context_length=77)
    cli.load_clip = lambda **_: (model, transform, tokenizer)


def run(arguments: list[str]) -> None:
    """One call of `clip_benchmark`."""
    from clip_benchmark import cli

    fixed = ["--no_amp", "--num_workers", "0"] if arguments[0] == "eval" else []
    before, sys.argv = sys.argv, ["clip_benchmark", *arguments, *fixed]
    try:
        cli.main()
    finally:
        sys.argv = before


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clip-benchmark", type=Path, required=True)
    parser.add_argument("--webdataset", type=Path, required=True)
    parser.add_argument("--model-directory", type=Path, default=MODEL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("arguments", nargs="+")
    options = parser.parse_args()
    torch.set_num_threads(1)
    clip_benchmark_source.use(options.clip_benchmark, options.webdataset)
    use_model(options.model_directory)
    run(options.arguments)


if __name__ == "__main__":
    main()
