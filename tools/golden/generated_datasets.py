"""Writes fixtures/eval/generated/COUNT: CLIP_benchmark's results on the generated datasets, for 16, 32 and 64 images.

    node dist/tools/datasets/generate.js --count COUNT --out DATA
    python tools/golden/generated_datasets.py --clip-benchmark CHECKOUT --webdataset CHECKOUT --data DATA --count COUNT

Its command line runs on the demo model, on every generated dataset that it can read. Besides clip_benchmark_source.py,
replaced in memory: the digests of ImageNet's archives, the number of images that ImageNetV2 must have, the download of captions in the languages of
FLORES-200, and that of Winoground. Babel-ImageNet is left out, because it needs all of ImageNet's validation images.

PyTorch leaves the order of equal scores in torch.topk and torch.sort undefined: its documentation says that "the indices
of tied elements are not guaranteed to be stable and may vary across different invocations". So everything runs twice,
the second time with these two functions replaced by a stable sort, where the first of equal scores wins as with argmax.
A result that differs then is written to the folder `first` too. Nothing else is replaced between the two runs, so only
equal scores can make the difference.
"""

import argparse
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import clip_benchmark_cli
import clip_benchmark_source
import torch
from PIL import Image

FOLDER = clip_benchmark_cli.ROOT / "fixtures" / "eval" / "generated"
FOLDERS = ["imagenet1k-unverified", "imagenet_sketch", "imagenet-a", "imagenet-o", "imagenet-r", "fer2013"]
FLORES = ["deu_Latn", "eng_Latn", "fra_Latn", "ita_Latn", "jpn_Jpan", "spa_Latn", "zho_Hans"]
SUGAR_CREPE = ["add_att", "add_obj", "replace_att", "replace_obj", "replace_rel", "swap_att", "swap_obj"]

Evaluate = Callable[..., None]


def evaluate(results: Path, dataset: str, root: Path, *options: str, language: str = "en") -> None:
    names = "{dataset}_{pretrained}_{model}_{language}_{task}.json"
    fixed = ["--output", f"{results}/{names}", "--model", "demo-model", "--pretrained", "demo-model"]
    chosen = ["--dataset", dataset, "--dataset_root", str(root), "--language", language]
    clip_benchmark_cli.run(["eval", *chosen, *options, *fixed])


def prompts(data: Path, language: str) -> list[str]:
    names, templates = (f"{language}_classnames.json", f"{language}_zeroshot_classification_templates.json")
    folder = data / "prompts"
    return ["--custom_classname_file", str(folder / names), "--custom_template_file", str(folder / templates)]


def use_archives(folder: Path) -> None:
    """Makes torchvision accept archives with other images than ImageNet's."""
    from torchvision.datasets import imagenet

    for key, (file, _) in imagenet.ARCHIVE_META.items():
        if (folder / file).exists():
            imagenet.ARCHIVE_META[key] = (file, hashlib.md5((folder / file).read_bytes()).hexdigest())  # noqa: S324


def classification(evaluate: Evaluate, data: Path) -> None:
    from clip_benchmark.datasets import imagenetv2

    for name in ("shapes", "count", "backgrounds", "multilabel"):
        evaluate(f"wds/{name}", data / f"wds_{name}")
    for language in ("it", "jp", "cn"):
        evaluate("wds/shapes", data / "wds_shapes", *prompts(data, language), language=language)
        evaluate("imagenet1k-unverified", data / FOLDERS[0], *prompts(data, language), language=language)
    use_archives(data / "imagenet1k")
    imagenetv2.V2_DATASET_SIZE = len(list((data / "imagenetv2").glob("**/*.jpeg")))
    for name in ("imagenet1k", *FOLDERS, "imagenetv2", "objectnet", "voc2007_multilabel", "voc2007"):
        evaluate(name, data / name, *prompts(data, "en"))


def retrieval(evaluate: Evaluate, data: Path) -> None:
    from clip_benchmark.datasets import flickr30k_200, xtd200

    ks = ["--recall_k", "1", "5", "10"]
    task = ["--task", "zeroshot_retrieval"]
    evaluate("wds/captions", data / "wds_captions", *task, *ks)
    evaluate("mscoco_captions", data / "mscoco_captions", *ks)
    for language in ("en", "zh"):
        evaluate("flickr8k", data / "flickr8k", *ks, language=language)
    # The paths in the annotations are relative to where they were written.
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "root").symlink_to(data / "xtd10")
        os.chdir(place)
        for language in ("de", "en", "es", "fr", "it", "jp", "zh"):
            evaluate("xtd10", data / "xtd10", *ks, language=language)
        os.chdir(data / "multilingual_mscoco_captions")
        evaluate("multilingual_mscoco_captions", data / "multilingual_mscoco_captions", *ks)
    for module, name in ((flickr30k_200, "flickr30k-200"), (xtd200, "xtd200")):
        lists = data / name / name
        module._get_lines = lambda url, lists=lists: (lists / Path(url).name).read_text().splitlines()  # noqa: SLF001
        for language in FLORES:
            evaluate(name, data / name, *ks, language=language)
    for language in ("de", "en", "ja", "zh"):
        evaluate("crossmodal3600", data / "crossmodal3600", *ks, language=language)


def selection(evaluate: Evaluate, data: Path) -> None:
    for task in SUGAR_CREPE:
        evaluate(f"sugar_crepe/{task}", data / "sugar_crepe")
    root = data / "winoground"
    examples = [json.loads(line) for line in (root / "examples.jsonl").read_text().splitlines()]
    for example in examples:
        for key in ("image_0", "image_1"):
            example[key] = Image.open(root / "images" / f"{example[key]}.png")
    clip_benchmark_source.stub("datasets", load_dataset=lambda *_, **__: {"test": examples})
    evaluate("winoground", root)


@contextmanager
def first_of_equal_scores() -> Iterator[None]:
    """Makes torch.topk and torch.sort stable."""
    originals = torch.topk, torch.Tensor.topk, torch.sort

    def stable_sort(scores: torch.Tensor, dim: int = -1, descending: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
        return originals[2](scores, dim=dim, descending=descending, stable=True)

    def stable_topk(
        scores: torch.Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True  # noqa: A002, ARG001
    ) -> tuple[torch.Tensor, torch.Tensor]:
        values, indices = stable_sort(scores, dim, largest)
        return values.narrow(dim, 0, k), indices.narrow(dim, 0, k)

    torch.topk, torch.Tensor.topk, torch.sort = stable_topk, stable_topk, stable_sort
    try:
        yield
    finally:
        torch.topk, torch.Tensor.topk, torch.sort = originals


def keep_differences(first: Path, results: Path) -> None:
    """Deletes the results that do not depend on the order of equal scores."""
    for file in first.glob("*.json"):
        if file.read_text() == (results / file.name).read_text():
            file.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    clip_benchmark_cli.add_options(parser)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True, help="images of each dataset in DATA")
    parser.add_argument("--out", type=Path, default=FOLDER, help="default: fixtures/eval/generated")
    options = parser.parse_args()
    results = options.out.resolve() / str(options.count)
    first = results / "first"
    torch.set_num_threads(1)
    clip_benchmark_source.use(options.clip_benchmark.resolve(), options.webdataset.resolve())
    clip_benchmark_cli.use_model(options.model_directory)
    shutil.rmtree(results, ignore_errors=True)
    first.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as copy:  # CLIP_benchmark writes annotations into datasets
        data = Path(copy) / "data"
        shutil.copytree(options.data, data)
        for folder, order in ((results, nullcontext), (first, first_of_equal_scores)):
            with order():
                for make in (classification, retrieval, selection):
                    make(partial(evaluate, folder), data)
        keep_differences(first, results)


if __name__ == "__main__":
    main()
