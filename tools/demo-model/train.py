"""Trains the demo model with OpenCLIP and writes it as a model directory. See README.md for the recipe.

python train.py --data DIR… --test DIR --corpus FILE --out DIR
"""

import tvstub  # noqa: F401  (first: torchvision's wheel expects a CUDA PyTorch)

import argparse
import json
import math
import random
import shutil
import time
from pathlib import Path

import numpy
import torch
from open_clip.loss import ClipLoss
from open_clip.model import CustomTextCLIP
from safetensors.torch import save_file
from transformers import XLMRobertaConfig

import tokenizer as demo_tokenizer
from check import accuracies, load, preprocessing, read_dataset, to_input


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="training sets written by generate.js")
    parser.add_argument("--test", type=Path, required=True, help="a test set, whose first images show progress")
    parser.add_argument("--corpus", type=Path, help="training corpus of the tokenizer; not with --start")
    parser.add_argument("--out", type=Path, required=True, help="the model directory")
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings.json")
    parser.add_argument("--phase", choices=["pretraining", "training"], required=True, help="section of settings.json")
    parser.add_argument("--start", type=Path, help="continue from this model directory")
    arguments = parser.parse_args()
    settings = json.loads(arguments.settings.read_text())

    random.seed(settings["seed"])
    torch.manual_seed(settings["seed"])
    numpy.random.seed(settings["seed"])

    if arguments.start is None:
        write_configuration(arguments.out, arguments.corpus, settings)
    else:
        shutil.copytree(arguments.start, arguments.out, dirs_exist_ok=True)
    model, tokenize = load(arguments.out, weights=arguments.start is not None)
    print(f"{sum(parameter.numel() for parameter in model.parameters())} parameters", flush=True)
    train(model, tokenize, arguments, settings[arguments.phase])
    save(model, arguments.out)


def save(model: CustomTextCLIP, out: Path) -> None:
    state = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, out / "open_clip_model.safetensors", metadata={"format": "pt"})


def write_configuration(out: Path, corpus: Path, settings: dict) -> None:
    """Writes everything but the weights: the two configurations and the tokenizer."""
    text_folder = out / settings["model"]["text_cfg"]["hf_model_name"]
    text_folder.mkdir(parents=True, exist_ok=True)
    tokenizer_folder = out / settings["model"]["text_cfg"]["hf_tokenizer_name"]
    vocab_size = demo_tokenizer.train(corpus, tokenizer_folder, **settings["tokenizer"])
    XLMRobertaConfig(
        vocab_size=vocab_size,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **settings["text"],
    ).save_pretrained(text_folder)
    configuration = {"model_cfg": settings["model"], "preprocess_cfg": settings["preprocess"]}
    (out / "open_clip_config.json").write_text(json.dumps(configuration, indent=2) + "\n")


def train(model: CustomTextCLIP, tokenize, arguments: argparse.Namespace, settings: dict) -> None:
    preprocess = preprocessing(arguments.out)
    sets = [read_dataset(folder, preprocess) for folder in arguments.data]
    images = numpy.concatenate([images for images, _, _ in sets])
    said = [list(scene["captions"].values()) for _, scenes, _ in sets for scene in scenes]
    ids_of = tokenize_once(tokenize, {sentence for languages in said for language in languages for sentence in language})
    test_images, test_scenes, test_meta = read_dataset(arguments.test, preprocess, limit=400)
    print(f"{len(images)} images, {len(ids_of)} different captions", flush=True)

    if arguments.start is None:
        initialize(model, to_input(images[:2000], preprocess))
    decayed = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    others = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    optimizer = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": settings["weight_decay"]},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=settings["learning_rate"],
        betas=tuple(settings["betas"]),
        eps=1e-6,
    )
    loss_of = ClipLoss()
    batch_size, steps = settings["batch_size"], settings["steps"]
    order = epochs(len(images), batch_size)
    started = time.time()
    total = 0.0
    # A phase may stop before the end of its schedule, for another phase to continue.
    for step in range(1, settings.get("stop_at", steps) + 1):
        for group in optimizer.param_groups:
            group["lr"] = settings["learning_rate"] * schedule(step, settings["warmup_steps"], steps)
        chosen = next(order)
        image_features = model.encode_image(to_input(images[chosen], preprocess), normalize=True)
        # Several captions per image, in different languages: the text tower is cheap compared with the image tower.
        loss = torch.zeros(())
        languages = [random.sample(said[index], settings["captions_per_image"]) for index in chosen]
        for number in range(settings["captions_per_image"]):
            ids = pad([ids_of[random.choice(spoken[number])] for spoken in languages])
            text_features = model.encode_text(ids, normalize=True)
            loss = loss + loss_of(image_features, text_features, model.logit_scale.exp())
        loss = loss / settings["captions_per_image"]
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        total += loss.item()
        if step % 100 == 0:
            line = f"step {step}, loss {total / 100:.4f}, {time.time() - started:.0f} s"
            if step % 300 == 0:
                model.eval()
                found = accuracies(model, tokenize, preprocess, test_images, test_scenes, test_meta["classes"])
                line += ", " + ", ".join(f"{task} {found['en'][task]:.3f}" for task in found["en"])
                line += f", zh {found['zh']['colour and shape']:.3f}"
                save(model, arguments.out)
                model.train()
            print(line, flush=True)
            total = 0.0
    model.eval()


@torch.no_grad()
def initialize(model: CustomTextCLIP, images: torch.Tensor) -> None:
    """Initialises the patch embedding and the positions, which a small image tower learns slowly from scratch.

    The mean colour dominates a patch, and edges are small in comparison. The filters start as the principal components
    of the patches, scaled to equal variance. The positions start as sines and cosines of the patches' magnitude.
    """
    visual = model.visual
    width, _, patch, _ = visual.conv1.weight.shape
    patches = torch.nn.functional.unfold(images, patch, stride=patch).transpose(1, 2).flatten(0, 1)
    variances, components = torch.linalg.eigh(torch.cov(patches.T))
    largest = components[:, -width:] / (variances[-width:] + 1e-3).sqrt()
    visual.conv1.weight.copy_(0.5 * largest.T.reshape(visual.conv1.weight.shape))

    rows = visual.grid_size[0]
    angles = torch.arange(rows) * math.pi / rows * torch.arange(1, width // 4 + 1).unsqueeze(1) / 4
    waves = torch.cat([angles.sin(), angles.cos()]).T  # [rows, width / 2]
    by_row = waves.unsqueeze(1).expand(rows, rows, -1)
    by_column = waves.unsqueeze(0).expand(rows, rows, -1)
    grid = torch.cat([by_row, by_column], dim=-1).flatten(0, 1)
    visual.positional_embedding[1:] = 0.7 * grid


def tokenize_once(tokenize, sentences: set[str]) -> dict[str, torch.Tensor]:
    """Ids without padding. Batches are padded to their longest row, which gives the same features."""
    found: dict[str, torch.Tensor] = {}
    ordered = sorted(sentences)
    for start in range(0, len(ordered), 10_000):
        chunk = ordered[start : start + 10_000]
        found.update((sentence, row[row != 1].clone()) for sentence, row in zip(chunk, tokenize(chunk)))
    return found


def pad(rows: list[torch.Tensor]) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=1)


def epochs(count: int, batch_size: int):
    while True:
        order = numpy.random.permutation(count)
        for start in range(0, count - batch_size + 1, batch_size):
            yield order[start : start + batch_size]


def schedule(step: int, warmup: int, steps: int) -> float:
    if step <= warmup:
        return step / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


if __name__ == "__main__":
    main()
