"""OpenCLIP as the reference: its models, preprocessing, tokenizer, and the output of every module.

Needs the environment of environment.sh. Import this module before anything that imports torchvision.
"""

import copy
import json
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

try:  # torchvision's CPU wheel registers these operations only if it was built for this PyTorch; else it fails to import.
    _library = torch.library.Library("torchvision", "DEF")
    for _signature in (
        "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    ):
        _library.define(_signature)
except RuntimeError:
    pass

import open_clip  # noqa: E402
import safetensors.torch  # noqa: E402
import transformers  # noqa: E402
from open_clip.model import CLIP, CustomTextCLIP  # noqa: E402
from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict  # noqa: E402
from PIL import Image  # noqa: E402
from transformers import XLMRobertaConfig  # noqa: E402


def versions() -> dict[str, str]:
    """The versions of the reference, for a golden's metadata."""
    return {
        "open_clip": open_clip.__version__,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
    }


# The fields of Hugging Face's config.json that determine the published text networks, to avoid downloading them.
XLM_ROBERTA = {"vocab_size": 250002, "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
TEXT_NETWORKS = {
    "xlm-roberta-base": XLMRobertaConfig(
        **XLM_ROBERTA, hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072
    ),
    "xlm-roberta-large": XLMRobertaConfig(
        **XLM_ROBERTA, hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096
    ),
}


def published_config(arch: str) -> dict:
    """The content of open_clip_config.json for one of OpenCLIP's architectures."""
    model_cfg = open_clip.get_model_config(arch)
    if model_cfg is None:
        raise SystemExit(f"{arch}: not an architecture of OpenCLIP; open_clip.list_models() lists them")
    return {"model_cfg": model_cfg}


def build(
    config: dict,
    directory: Path | None = None,
    weights: Path | None = None,
    values: Callable[[str, tuple[int, ...]], np.ndarray] | None = None,
) -> torch.nn.Module:
    """The network of an open_clip_config.json in float32 and eval mode.

    directory: the folder of the config. A subfolder may hold the text network's config.json, for small models.
    weights: a checkpoint, loaded strictly. values: a function that computes each parameter. Default: random weights.
    """
    model_cfg = copy.deepcopy(config["model_cfg"])
    is_custom = model_cfg.pop("custom_text", False) or "hf_model_name" in model_cfg["text_cfg"]
    text_cfg = model_cfg["text_cfg"]
    with tempfile.TemporaryDirectory() as folder:
        if "hf_model_name" in text_cfg:
            text_cfg["hf_model_pretrained"] = False
            if directory is not None and (directory / text_cfg["hf_model_name"] / "config.json").exists():
                text_cfg["hf_model_name"] = os.fspath(directory / text_cfg["hf_model_name"])
            elif text_cfg["hf_model_name"] in TEXT_NETWORKS:
                TEXT_NETWORKS[text_cfg["hf_model_name"]].save_pretrained(folder)
                text_cfg["hf_model_name"] = folder
        with torch.device("cpu" if values is None else "meta"):
            model = (CustomTextCLIP if is_custom else CLIP)(**model_cfg)
    if values is not None:
        model = model.to_empty(device="cpu")
        for name, parameter in model.named_parameters():
            parameter.data = torch.from_numpy(values(name, tuple(parameter.shape)))
        embeddings = model.text.transformer.embeddings
        embeddings.position_ids = torch.arange(embeddings.position_ids.shape[-1]).expand((1, -1))
        embeddings.token_type_ids = torch.zeros_like(embeddings.position_ids)
    if weights is not None:
        open_clip.load_checkpoint(model, os.fspath(weights))
    return model.float().eval()


def load(directory: Path) -> tuple[torch.nn.Module, dict]:
    """The model of a model directory, with its weights loaded strictly, and its config."""
    config = json.loads((directory / "open_clip_config.json").read_text()) | {"directory": os.fspath(directory)}
    index = directory / "open_clip_model.safetensors.index.json"
    if not index.exists():
        names = ["open_clip_model.safetensors", "model.safetensors", "open_clip_pytorch_model.bin"]
        found = [directory / name for name in names if (directory / name).exists()]
        if not found:
            raise SystemExit(f"{directory}: no weights: expected one of {', '.join(names)}")
        return build(config, directory, weights=found[0]), config
    model = build(config, directory)
    state = {}
    for file in sorted(set(json.loads(index.read_text())["weight_map"].values())):
        state.update(safetensors.torch.load_file(directory / file))
    model.load_state_dict({name: value.float() for name, value in state.items()}, strict=True)
    return model, config


def save(model: torch.nn.Module, config: dict, directory: Path) -> None:
    """Writes a model directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    safetensors.torch.save_file(state, directory / "open_clip_model.safetensors")


class SpecialIds(NamedTuple):
    pad: int
    start: int
    end: int
    limit: int
    """An upper bound of the ids of ordinary tokens."""


def is_plain(model: torch.nn.Module) -> bool:
    """Whether the text tower is CLIP's own, whose rows always have the context length."""
    return not hasattr(getattr(model, "text", None), "config")


def special_ids(model: torch.nn.Module) -> SpecialIds:
    if is_plain(model):  # the end of text has the largest id
        return SpecialIds(pad=0, start=model.vocab_size - 2, end=model.vocab_size - 1, limit=model.vocab_size - 2)
    text = model.text.config
    start = 1 if text.pad_token_id == 0 else 0
    return SpecialIds(pad=text.pad_token_id, start=start, end=2, limit=text.vocab_size)


def is_token(model: torch.nn.Module, ids: torch.Tensor) -> torch.Tensor:
    """Marks the ids that are tokens. At the other positions, the text tower's activations are arbitrary."""
    if is_plain(model):
        return torch.arange(ids.shape[1]) <= ids.argmax(dim=1, keepdim=True)
    return ids != special_ids(model).pad


def preprocess(
    model: torch.nn.Module, config: dict, images: list[Path], texts: list[str]
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Preprocessed images and token ids as OpenCLIP passes them to the model."""
    pixels = ids = None
    if images:
        settings = merge_preprocess_dict(PreprocessCfg(), config.get("preprocess_cfg", {}))
        transform = image_transform_v2(PreprocessCfg(**settings | {"size": model.visual.image_size}), is_train=False)
        pixels = torch.stack([transform(Image.open(file)) for file in images])
    if texts:
        ids = tokenizer(config)(texts)
    return pixels, ids


def tokenizer(config: dict):
    text_cfg = config["model_cfg"]["text_cfg"]
    options = {"context_length": text_cfg.get("context_length", 77), **text_cfg.get("tokenizer_kwargs", {})}
    if "hf_model_name" not in text_cfg and "hf_tokenizer_name" not in text_cfg:
        return open_clip.SimpleTokenizer(**options)
    name = text_cfg.get("hf_tokenizer_name") or text_cfg["hf_model_name"]
    if "directory" in config:  # the directory itself, then the folder in it that the config names
        for folder in (Path(config["directory"]), Path(config["directory"]) / name):
            if any((folder / file).exists() for file in ("tokenizer.json", "sentencepiece.bpe.model")):
                return open_clip.tokenizer.HFTokenizer(os.fspath(folder), **options)
    return open_clip.tokenizer.HFTokenizer(name, **options)


def record(model: torch.nn.Module, run) -> dict[str, torch.Tensor]:
    """Calls run and returns the output of every module by its name in named_modules().

    Of a tuple, the first item is recorded; of an encoder's output object, last_hidden_state.
    """
    taps: dict[str, torch.Tensor] = {}

    def hook(name: str):
        def see(module, _inputs, output) -> None:
            if hasattr(output, "last_hidden_state"):
                output = output.last_hidden_state
            if isinstance(output, tuple):
                output = output[0]
            assert name not in taps or isinstance(module, torch.nn.Dropout), f"{name} ran twice"
            taps[name] = output.detach().clone().contiguous()

        return see

    handles = [module.register_forward_hook(hook(name)) for name, module in model.named_modules() if name]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()
    return taps


if __name__ == "__main__":
    print(versions())
