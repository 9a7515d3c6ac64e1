"""Writes fixtures/eval/metrics.safetensors, metrics.json and prompts.json: goldens from CLIP_benchmark's functions.

    python tools/golden/evaluation.py --clip-benchmark CHECKOUT

Each case of metrics.json has a kind, the arguments, and `metrics` as CLIP_benchmark's own `evaluate` returns them for
encoders that pass embeddings through. The tensors `CASE.images` and `CASE.texts` are the embeddings. Embeddings of
`*-ties` cases have entries of ±1 and a norm that is a power of two, so that equal similarities are equal in any
arithmetic; there `stable` has the figures of a stable sort with numpy, which orders equal scores as they come.

prompts.json has class names and templates with the prompts that Python's str.format makes of them, or its error; the
tensors `CASE.classifier` [classes, embedDim] are the demo model's classifiers, by CLIP_benchmark's
zero_shot_classifier. `format` has single templates.
"""

import argparse
import json
from pathlib import Path

import clip_benchmark_source
import numpy as np
import reference
import safetensors.torch
import torch

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 16


class PassThrough:
    """A model whose inputs are the embeddings."""

    encode_image = staticmethod(lambda images: images)
    encode_text = staticmethod(lambda texts: texts)


class Loader(list):
    """Batches, with the dataset's attributes that CLIP_benchmark reads."""

    def __init__(self, batches, classes=None):
        super().__init__(batches)
        self.dataset = argparse.Namespace(classes=classes)


def batches(images, others, size=7):
    return [(images[at : at + size], others[at : at + size]) for at in range(0, len(images), size)]


def embeddings(random, rows, tied):
    values = random.choice([-1.0, 1.0], size=(rows, WIDTH)) if tied else random.normal(size=(rows, WIDTH)) * 3
    return torch.from_numpy(values.astype(np.float32))


def unit(rows):
    rows = rows.numpy().astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def order(scores):
    return np.argsort(-scores, axis=1, kind="stable")


def classify(tensors, name, images, texts, targets):
    """evaluate() with one prompt a class: the tokenizer looks up the class's embedding."""
    from clip_benchmark.metrics import zeroshot_classification

    names = [f"class {c}" for c in range(len(texts))]
    tokenizer = lambda prompts: torch.stack([texts[names.index(prompt)] for prompt in prompts])  # noqa: E731
    tensors |= {f"{name}.images": images, f"{name}.texts": texts}
    loader = Loader(batches(images, targets), names)
    return zeroshot_classification.evaluate(PassThrough, loader, tokenizer, names, ["{c}"], "cpu", amp=False)


def accuracy_case(random, tensors, name, classes, labels, tied=False):
    texts, images = embeddings(random, classes, tied), embeddings(random, len(labels), tied)
    if not tied:
        images += 0.4 * texts[labels]
    case = {"kind": "accuracy", "labels": [int(label) for label in labels]}
    case["metrics"] = classify(tensors, name, images, texts, torch.from_numpy(labels))
    ranked = order(unit(images) @ unit(texts).T)
    right = ranked == labels[:, None]
    recalls = [right[labels == c, 0].mean() for c in np.unique(labels)]
    case["stable"] = {
        "acc1": right[:, 0].mean(),
        "acc5": right[:, :5].any(axis=1).mean() if classes >= 5 else None,
        "mean_per_class_recall": np.mean(recalls),
    }
    return case


def multilabel_case(random, tensors, name, classes, images, tied=False):
    texts, embedded = embeddings(random, classes, tied), embeddings(random, images, tied)
    targets = (random.random((images, classes)) < 0.25).astype(np.float32)
    targets[:, 2] = 0  # a class without positives
    if not tied:
        embedded += 0.5 * torch.from_numpy(targets) @ texts
    case = {"kind": "multilabel", "positives": [np.flatnonzero(row).tolist() for row in targets]}
    case["metrics"] = classify(tensors, name, embedded, texts, torch.from_numpy(targets))
    ranked = order((unit(embedded) @ unit(texts).T).T)
    precisions = []
    for c in range(classes):
        truth = targets[ranked[c], c] == 1
        at = np.flatnonzero(truth) + 1
        precisions.append(np.sum(np.arange(1, len(at) + 1) / at) / max(len(at), 1))
    case["stable"] = {"mean_average_precision": np.mean(precisions)}
    return case


def retrieval_case(random, tensors, name, counts, ks, tied=False):
    from clip_benchmark.metrics import zeroshot_retrieval

    image_of = np.repeat(np.arange(len(counts)), counts)
    images, texts = embeddings(random, len(counts), tied), embeddings(random, len(image_of), tied)
    if not tied:
        texts += 0.7 * images[image_of]
    captions = [[str(row) for row in np.flatnonzero(image_of == image)] for image in range(len(counts))]
    tokenizer = lambda rows: texts[[int(row) for row in rows]]  # noqa: E731
    loader = Loader(batches(images, captions))
    metrics = zeroshot_retrieval.evaluate(PassThrough, loader, tokenizer, "cpu", amp=False, recall_k_list=ks)
    tensors |= {f"{name}.images": images, f"{name}.texts": texts}
    scores = unit(texts) @ unit(images).T
    by_caption, by_image = order(scores), order(scores.T)
    stable = {}
    for k in ks:
        hits = (by_caption[:, :k] == image_of[:, None]).any(axis=1)
        stable[f"image_retrieval_recall@{k}"] = float(np.float32(hits.sum() / len(hits)))
        hits = (image_of[by_image[:, :k]] == np.arange(len(counts))[:, None]).any(axis=1)
        stable[f"text_retrieval_recall@{k}"] = float(np.float32(hits.sum() / len(hits)))
    return {"kind": "retrieval", "captions": list(map(int, counts)), "ks": ks, "metrics": metrics, "stable": stable}


def selection_case(random, tensors, name, instances, images, captions, tied=False):
    from clip_benchmark.metrics import image_caption_selection

    texts = embeddings(random, instances * captions, tied)
    pictures = embeddings(random, instances * images, tied).view(instances, images, WIDTH)
    if not tied:
        shared = min(images, captions)
        pictures[:, :shared] += 0.5 * texts.view(instances, captions, WIDTH)[:, :shared]
    rows = [[str(i * captions + c) for c in range(captions)] for i in range(instances)]
    tokenizer = lambda given: texts[[int(row) for row in given]]  # noqa: E731
    # encode_image gets [batch · images, 1, 1, width], and CLIP_benchmark flattens the embeddings itself.
    loader = [(p.view(len(p), images, 1, 1, WIDTH), r) for p, r in batches(pictures, rows)]
    metrics = image_caption_selection.evaluate(PassThrough, loader, tokenizer, "cpu", amp=False)
    tensors |= {f"{name}.images": pictures.reshape(-1, WIDTH), f"{name}.texts": texts}
    return {"kind": "selection", "shape": [instances, images, captions], "metrics": metrics}


CLASSIFIERS = {
    "names": (["circle", "square", "star"], ["{c}"]),
    "templates": (["red circle", "blue square", "cerchio rosso"], ["a photo of a {c}.", "{c}", "{{{c}}}, twice: {c} {c}"]),
    "repeated": (["star", "circle", "star", "", " star "], ["a photo of a {c}.", "one {c}"]),
    "by-class": (
        ["heart", "cross"],
        {"cross": ["two crossing bars", "a {cross} sign", "a cross"], "heart": ["a heart {c}"], "ring": []},
    ),
}

FORMATS = [
    "a photo of a {c}.",
    "{c}{c}",
    "no field",
    "",
    "{{c}}",
    "{{{c}}}",
    "}}{c}{{",
    "{{}}",
    "{c",
    "c}",
    "{",
    "}",
    "{c}}",
    "{{c}",
    "{d}",
    "{c!}",
    "{0}",
    "{ c }",
    "{c[}",
]


def formatted(template: str, name: str) -> dict:
    try:
        return {"template": template, "name": name, "prompt": template.format(c=name)}
    except (ValueError, KeyError, IndexError) as error:
        return {"template": template, "name": name, "error": type(error).__name__}


def classifiers(tensors) -> list[dict]:
    from clip_benchmark.metrics.zeroshot_classification import zero_shot_classifier
    from open_clip.tokenizer import HFTokenizer

    directory = ROOT / "fixtures" / "demo-model"
    model, _ = reference.load(directory)
    tokenizer = HFTokenizer(str(directory), context_length=77)
    cases = []
    for name, (names, templates) in CLASSIFIERS.items():
        weight = zero_shot_classifier(model, tokenizer, names, templates, "cpu", amp=False)
        tensors[f"{name}.classifier"] = weight.T
        is_list = isinstance(templates, list)
        prompts = [[t.format(c=one) for t in templates] if is_list else templates[one] for one in names]
        cases.append({"name": name, "classnames": names, "templates": templates, "prompts": prompts})
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip-benchmark", type=Path, required=True)
    options = parser.parse_args()
    commits = clip_benchmark_source.use(options.clip_benchmark)
    torch.set_num_threads(1)

    random, tensors, cases = np.random.default_rng(14), {}, {}
    labels = lambda rows, classes: random.integers(0, classes, size=rows)  # noqa: E731
    for name, make in {
        "plain": lambda n: accuracy_case(random, tensors, n, 12, labels(150, 12)),
        "absent": lambda n: accuracy_case(random, tensors, n, 12, labels(90, 9)),
        "four": lambda n: accuracy_case(random, tensors, n, 4, labels(50, 4)),
        "five": lambda n: accuracy_case(random, tensors, n, 5, labels(50, 5)),
        "accuracy-ties": lambda n: accuracy_case(random, tensors, n, 40, labels(200, 40), tied=True),
        "multilabel": lambda n: multilabel_case(random, tensors, n, 6, 80),
        "multilabel-ties": lambda n: multilabel_case(random, tensors, n, 6, 80, tied=True),
        "one-caption": lambda n: retrieval_case(random, tensors, n, np.full(30, 1), [1, 5, 30]),
        "five-captions": lambda n: retrieval_case(random, tensors, n, np.full(23, 5), [1, 5, 10]),
        "uneven": lambda n: retrieval_case(random, tensors, n, np.array([3, 1, 0, 5, 2, 0, 1, 4] * 4), [1, 2, 5, 32]),
        "retrieval-ties": lambda n: retrieval_case(
            random, tensors, n, np.array([3, 1, 0, 5, 2, 0, 1, 4] * 5), [1, 5, 10, 40], tied=True
        ),
        "winoground": lambda n: selection_case(random, tensors, n, 40, 2, 2),
        "sugar-crepe": lambda n: selection_case(random, tensors, n, 40, 1, 2),
        "three-images": lambda n: selection_case(random, tensors, n, 20, 3, 2),
        "selection-ties": lambda n: selection_case(random, tensors, n, 60, 2, 2, tied=True),
    }.items():
        cases[name] = make(name)
        if cases[name]["metrics"].get("acc5") != cases[name]["metrics"].get("acc5"):
            cases[name]["metrics"]["acc5"] = None  # NaN is not valid JSON

    prompts = {
        "command": "python tools/golden/evaluation.py --clip-benchmark CHECKOUT",
        "classifiers": classifiers(tensors),
        "format": [formatted(template, name) for template in FORMATS for name in ["x", "{c}", ""]],
    }
    from clip_benchmark.datasets.builder import dataset_collection

    published = (options.clip_benchmark / "benchmark" / "webdatasets.txt").read_text().split()
    collections = dataset_collection | {"webdatasets": published}
    folder = ROOT / "fixtures" / "eval"
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file({name: value.contiguous() for name, value in tensors.items()}, folder / "metrics.safetensors")
    golden = {
        "command": "python tools/golden/evaluation.py --clip-benchmark CHECKOUT",
        "versions": reference.versions() | {"numpy": np.__version__} | commits,
        "cases": cases,
    }
    (folder / "collections.json").write_text(json.dumps(collections) + "\n")
    (folder / "prompts.json").write_text(json.dumps(prompts, ensure_ascii=False) + "\n")
    (folder / "metrics.json").write_text(json.dumps(golden, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
