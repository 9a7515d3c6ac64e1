"""OpenCLIP as the reference: building models from model directories, and seeing every module's output.

Needs the environment of environment.sh. Import this module before anything that imports torchvision.
"""

import json
import os
import platform
from pathlib import Path

import torch

try:  # torchvision's CPU wheel registers these where it was built for this PyTorch; else it fails at import.
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


def versions() -> dict[str, str]:
    """What made a golden, for its metadata."""
    return {
        "open_clip": open_clip.__version__,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
    }


def build(directory: Path) -> tuple[CLIP | CustomTextCLIP, dict]:
    """The model of a model directory's open_clip_config.json, with freshly initialised weights, in eval mode."""
    config = json.loads((directory / "open_clip_config.json").read_text())
    model_cfg = json.loads(json.dumps(config["model_cfg"]))
    text_cfg = model_cfg["text_cfg"]
    if "hf_model_name" not in text_cfg:
        custom_text = model_cfg.pop("custom_text", False)
        return (CustomTextCLIP if custom_text else CLIP)(**model_cfg).eval(), config
    model_cfg.pop("custom_text", None)
    # A folder of the model directory that holds the text network's config.json: our convention for small models.
    folder = directory / text_cfg["hf_model_name"]
    if (folder / "config.json").exists():
        text_cfg["hf_model_name"] = os.fspath(folder)
    text_cfg["hf_model_pretrained"] = False
    return CustomTextCLIP(**model_cfg).eval(), config


def load(directory: Path) -> tuple[CLIP | CustomTextCLIP, dict]:
    """The model of a model directory with its weights, strictly, in float32 and eval mode."""
    model, config = build(directory)
    index = directory / "open_clip_model.safetensors.index.json"
    if index.exists():
        files = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    else:
        files = ["open_clip_model.safetensors"]
    state = {}
    for file in files:
        state.update(safetensors.torch.load_file(directory / file))
    model.load_state_dict({name: value.float() for name, value in state.items()}, strict=True)
    return model, config


def record(model: torch.nn.Module, run) -> dict[str, torch.Tensor]:
    """Runs and returns every module's output under its name in named_modules().

    Of a tuple the first item counts, of an encoder's output object its last_hidden_state.
    """
    taps: dict[str, torch.Tensor] = {}

    def hook(name: str):
        def see(_module, _inputs, output) -> None:
            if hasattr(output, "last_hidden_state"):
                output = output.last_hidden_state
            if isinstance(output, tuple):
                output = output[0]
            assert name not in taps, f"{name} ran twice"
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
