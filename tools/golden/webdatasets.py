"""Writes fixtures/eval/webdatasets, small datasets in CLIP_benchmark's WebDataset layout, and its results for them.

    python tools/golden/webdatasets.py --clip-benchmark CHECKOUT --webdataset CHECKOUT

The tars are written by webdataset's ShardWriter; the images are simple shapes. fixtures/eval/clip-benchmark has the JSON
files of CLIP_benchmark's command line for the demo model, and its `build` of them. Besides the usual:
- `colours` (6 classes): 12 shards with names up to 11.tar, and a 12.tar behind nshards.txt that must not be read; webp,
  png and jpg; a class with an empty name; translated class names in italian_names.json.
- `shapes` (3 classes): no acc5; palette, grey and transparent images.
- `tags`: several classes per image as .npy; one class without images.
- `captions`: 0 to 4 captions per image, with U+2028, \\r\\n, an empty line and a line break at the end.
"""

import argparse
import io
import json
import shutil
from pathlib import Path

import clip_benchmark_cli
import clip_benchmark_source
import numpy as np
import torch
from PIL import Image, ImageDraw

FOLDER = clip_benchmark_cli.ROOT / "fixtures" / "eval"
COLOURS = {
    "red": (210, 40, 40),
    "green": (40, 150, 60),
    "blue": (40, 70, 200),
    "yellow": (235, 205, 40),
    "purple": (130, 50, 160),
}
SHAPES = ["circle", "square", "triangle"]
TEMPLATES = ["{c}", "a photo of a {c} shape", "one {c} shape on a white background"]
OPTIONS = {"webp": {"format": "webp", "lossless": True}, "png": {"format": "png"}, "jpg": {"format": "jpeg"}}


def draw(random: np.random.Generator, colour: str, shape: str) -> Image.Image:
    width, height = (int(side) for side in random.integers(30, 44, size=2))
    background = random.integers(150, 256, size=3)
    image = Image.new("RGB", (width, height), tuple(background.tolist()))
    # Faint enough that the model makes mistakes, or every figure would be 1.
    mixed = background + (np.array(COLOURS[colour]) - background) * random.uniform(0.15, 1)
    fill = tuple(mixed.astype(int).tolist())
    pen = ImageDraw.Draw(image)
    size = int(random.integers(10, 22))
    left, top = int(random.integers(2, width - size - 2)), int(random.integers(2, height - size - 2))
    box = (left, top, left + size, top + size)
    if shape == "circle":
        pen.ellipse(box, fill=fill)
    elif shape == "square":
        pen.rectangle(box, fill=fill)
    else:
        pen.polygon([(left, top + size), (left + size, top + size), (left + size // 2, top)], fill=fill)
    return image


def encoded(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **OPTIONS[kind])
    return buffer.getvalue()


def write(name: str, samples: list[dict], per_shard: int, texts: dict[str, str]) -> int:
    """Writes a dataset with the split "test", and returns the number of its shards."""
    import webdataset

    folder = FOLDER / "webdatasets" / name
    (folder / "test").mkdir(parents=True)
    pattern = str(folder / "test" / "%d.tar")
    sink = webdataset.ShardWriter(pattern, maxcount=per_shard, verbose=0, mtime=1)
    for index, sample in enumerate(samples):
        sink.write({"__key__": f"s{index:07d}", **sample})
    shards = sink.shard  # gone after close
    sink.close()
    (folder / "test" / "nshards.txt").write_text(f"{shards}\n")
    for file, text in texts.items():
        (folder / file).write_text(text)
    return shards


def colours(random: np.random.Generator) -> None:
    names = [*COLOURS, ""]
    samples = []
    for index in range(36):
        label = index * 5 % 6
        colour = names[label] or "purple"
        kind = ["webp", "png", "jpg"][index % 3]
        samples.append({kind: encoded(draw(random, colour, SHAPES[index % 2]), kind), "cls": label})
    texts = {
        "classnames.txt": "\n".join([" red", *names[1:]]) + "\n",
        "zeroshot_classification_templates.txt": "\n".join(TEMPLATES) + "\n",
    }
    shards = write("colours", samples, 3, texts)
    test = FOLDER / "webdatasets" / "colours" / "test"
    shutil.copy(test / "0.tar", test / f"{shards}.tar")
    italian = ["rosso", "verde", "blu", "giallo", "viola", "arancione"]
    files = {
        "italian_names.json": {"colours": italian},
        "italian_templates.json": {"imagenet1k": ["{c}", "la foto di una forma di colore {c}"]},
    }
    for file, content in files.items():
        (FOLDER / "webdatasets" / file).write_text(json.dumps(content) + "\n")


def shapes(random: np.random.Generator) -> None:
    samples = []
    for index in range(21):
        label = index % 3
        image = draw(random, list(COLOURS)[index % 5], SHAPES[label])
        if index % 4 == 1:
            image = image.quantize(16)
        elif index % 4 == 2:
            image = image.convert("L")
        elif index % 4 == 3:
            image.putalpha(Image.linear_gradient("L").resize(image.size))
        samples.append({"png": encoded(image, "png"), "cls": label})
    texts = {
        "dataset_type.txt": "Classification\n",
        "classnames.txt": "\n".join(SHAPES),
        "zeroshot_classification_templates.txt": "a photo of a {c}\n{c}",
    }
    write("shapes", samples, 21, texts)


def tags(random: np.random.Generator) -> None:
    names = [*SHAPES, "red", "blue", "crescent"]
    samples = []
    for _ in range(24):
        colour, shape = random.choice(["red", "blue", "green"]), random.choice(SHAPES)
        target = np.array([name in (colour, shape) for name in names], dtype=np.float32)
        samples.append({"webp": encoded(draw(random, str(colour), str(shape)), "webp"), "npy": target})
    texts = {
        "dataset_type.txt": "multilabel\n",
        "classnames.txt": "\n".join(names) + "\n",
        "zeroshot_classification_templates.txt": "a photo of a {c}\n",
    }
    write("tags", samples, 10, texts)


def captions(random: np.random.Generator) -> None:
    samples = []
    for index in range(20):
        colour, shape = list(COLOURS)[index % 5], SHAPES[index % 3]
        lines = [
            f"a {colour} {shape} ({index})",
            f"one {colour} {shape}, number {index}",
            f"number {index}: a {shape} that is {colour}",
            f"{colour}, {shape}, {index}",
        ][: index % 5]
        text = ["\n", "\r\n", "\u2028", "\n"][index % 4].join(lines)
        if index == 3:
            text = text.replace("\n", "\n\n", 1)  # an empty caption
        if index % 2 == 0 and text:
            text += "\n"
        samples.append({"webp": encoded(draw(random, colour, shape), "webp"), "txt": text})
    seen = [line for sample in samples for line in sample["txt"].splitlines()]
    assert "" in seen and len(set(seen)) == len(seen)  # equal captions would be ties
    write("captions", samples, 7, {"dataset_type.txt": "retrieval\n"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    clip_benchmark_cli.add_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    clip_benchmark_source.use(options.clip_benchmark, options.webdataset)
    clip_benchmark_cli.use_model(options.model_directory)

    data, results = FOLDER / "webdatasets", FOLDER / "clip-benchmark"
    for folder in (data, results):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    random = np.random.default_rng(6)
    for make in (colours, shapes, tags, captions):
        make(random)

    names = "{dataset}_{pretrained}_{model}_{language}_{task}.json"
    common = ["--dataset_root", f"{data}/{{dataset}}", "--output", f"{results}/{names}", "--batch_size", "4"]
    common += ["--model", "demo-model", "--pretrained", "demo-model"]
    for name in ("colours", "shapes", "tags"):
        clip_benchmark_cli.run(["eval", "--dataset", f"wds/{name}", *common])
    italian = ["--custom_classname_file", f"{data}/italian_names.json"]
    italian += ["--custom_template_file", f"{data}/italian_templates.json", "--dump_classnames", "--dump_templates"]
    clip_benchmark_cli.run(["eval", "--dataset", "wds/colours", "--language", "it", *italian, *common])
    retrieval = ["--task", "zeroshot_retrieval", "--recall_k", "1", "5", "10"]
    clip_benchmark_cli.run(["eval", "--dataset", "wds/captions", *retrieval, *common])
    files = [str(file) for file in sorted(results.glob("*.json"))]
    clip_benchmark_cli.run(["build", *files, "--output", f"{results}/benchmark.csv"])


if __name__ == "__main__":
    main()
