"""Writes fixtures/eval/classifiers: what CLIP_benchmark's command line saves with --save_clf and measures with --load_clfs.

    python tools/golden/classifiers.py --clip-benchmark CHECKOUT --webdataset CHECKOUT

The English and the Italian classifier of fixtures/eval/webdatasets/colours, and the result of their mean.
"""

import argparse
from pathlib import Path

import clip_benchmark_cli
import clip_benchmark_source
import torch

FIXTURES = clip_benchmark_cli.ROOT / "fixtures" / "eval"
FOLDER = FIXTURES / "classifiers"


def evaluate(*options: str) -> None:
    data = FIXTURES / "webdatasets"
    fixed = ["--model", "demo-model", "--pretrained", "demo-model", "--output", str(FOLDER / "mean.json")]
    clip_benchmark_cli.run(
        ["eval", "--dataset", "wds/colours", "--dataset_root", str(data / "{dataset}"), *options, *fixed]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    clip_benchmark_cli.add_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    clip_benchmark_source.use(options.clip_benchmark.resolve(), options.webdataset.resolve())
    clip_benchmark_cli.use_model(options.model_directory)
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = [FOLDER / "en.pt", FOLDER / "it.pt"]
    evaluate("--save_clf", str(files[0]))
    italian = [str(FIXTURES / "webdatasets" / f"italian_{name}.json") for name in ("names", "templates")]
    prompts = ["--custom_classname_file", italian[0], "--custom_template_file", italian[1]]
    evaluate("--save_clf", str(files[1]), *prompts)
    evaluate("--load_clfs", *map(str, files))


if __name__ == "__main__":
    main()
