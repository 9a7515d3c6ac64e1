"""Loads a model directory into OpenCLIP, strictly, and measures it: the reference for evaluate.ts.

python check.py --model DIR --test DIR
"""

import tvstub  # noqa: F401  (first: torchvision's wheel expects a CUDA PyTorch)

import argparse
import copy
import json
from pathlib import Path

import numpy
import open_clip
import torch
from open_clip.model import CustomTextCLIP
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors.torch import load_file


def load(folder: Path, weights: bool = True):
    """The model and its tokenizer. Folders in the configuration are relative to the model directory."""
    configuration = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    text = copy.deepcopy(configuration["text_cfg"])
    for name in ("hf_model_name", "hf_tokenizer_name"):
        text[name] = str((folder / text[name]).resolve())
    model = CustomTextCLIP(**{**configuration, "text_cfg": text})
    if weights:
        model.load_state_dict(load_file(folder / "open_clip_model.safetensors"), strict=True)
        model.eval()
    return model, open_clip.tokenizer.HFTokenizer(text["hf_tokenizer_name"])


def preprocessing(folder: Path):
    configuration = json.loads((folder / "open_clip_config.json").read_text())
    size = configuration["model_cfg"]["vision_cfg"]["image_size"]
    return image_transform_v2(PreprocessCfg(size=size, **configuration["preprocess_cfg"]), is_train=False)


def read_dataset(folder: Path, preprocess, limit: int | None = None):
    """The images (uint8, resized and cropped by the preprocessing), the scenes, and meta.json."""
    meta = json.loads((folder / "meta.json").read_text())
    with open(folder / "scenes.jsonl") as lines:
        scenes = [json.loads(line) for line in lines][:limit]
    raw = numpy.fromfile(folder / "images.bin", dtype=numpy.uint8)
    raw = raw.reshape(meta["count"], meta["height"], meta["width"], 3)[:limit]
    resize, crop = preprocess.transforms[:2]
    if resize.size == meta["height"] == meta["width"]:
        return raw, scenes, meta
    return numpy.stack([numpy.asarray(crop(resize(Image.fromarray(image)))) for image in raw]), scenes, meta


def to_input(images: numpy.ndarray, preprocess) -> torch.Tensor:
    """uint8 [B, H, W, 3] to the model's input: the last steps of the preprocessing."""
    normalize = preprocess.transforms[-1]
    return normalize(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255)


@torch.no_grad()
def accuracies(model, tokenize, preprocess, images, scenes, classes) -> dict[str, dict[str, float]]:
    """Language → task → fraction of images whose best class is correct."""
    batches = [images[start : start + 200] for start in range(0, len(images), 200)]
    image_features = torch.cat([model.encode_image(to_input(batch, preprocess), normalize=True) for batch in batches])
    found: dict[str, dict[str, float]] = {}
    for language, tasks in classes.items():
        found[language] = {}
        for task, prompts in tasks.items():
            asked = [index for index, scene in enumerate(scenes) if task in scene["labels"]]
            labels = torch.tensor([scenes[index]["labels"][task] for index in asked])
            # As in CLIP_benchmark: embed, normalise, average by class, normalise again.
            classifier = model.encode_text(tokenize(sum(prompts, [])), normalize=True)
            classifier = classifier.view(len(prompts), -1, classifier.shape[-1]).mean(dim=1)
            classifier = torch.nn.functional.normalize(classifier, dim=-1)
            best = (image_features[asked] @ classifier.T).argmax(dim=1)
            found[language][task] = (best == labels).float().mean().item()
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    arguments = parser.parse_args()
    model, tokenize = load(arguments.model)
    preprocess = preprocessing(arguments.model)
    images, scenes, meta = read_dataset(arguments.test, preprocess)
    found = accuracies(model, tokenize, preprocess, images, scenes, meta["classes"])
    tasks = list(next(iter(found.values())))
    print(f"{len(images)} images of {meta['width']}x{meta['height']}, split {meta['split']}, seed {meta['seed']}")
    print("| language | " + " | ".join(tasks) + " |")
    print("|---" * (len(tasks) + 1) + "|")
    for language, row in found.items():
        print(f"| {language} | " + " | ".join(f"{100 * row[task]:.1f}" for task in tasks) + " |")


if __name__ == "__main__":
    main()
