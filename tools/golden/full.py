"""Makes the sampled golden of the full-size network on synthetic weights: fixtures/full/golden.safetensors.

    python tools/golden/full.py [--arch xlm-roberta-large-ViT-H-14] [--out FILE]

The whole network runs in float64 and in float32 (about 15 GB of memory). Of each module's output in float64 the file
holds, as F32: its norm, its mean, and 256 sampled values; the metadata hold PyTorch's own float32 error at each tap
(relative L2 against float64, over all values). The token ids are in the file, the pixels are
synthetic too (the name `input.image`).
"""

import argparse
import json
import shlex
import sys
from pathlib import Path

import reference
import numpy as np
import open_clip
import safetensors.torch
import synthetic
import torch
from golden import golden, random_inputs
from open_clip.model import CustomTextCLIP
from transformers import XLMRobertaConfig

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = 256

XLM_ROBERTA_LARGE = {
    "vocab_size": 250002,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
}


def positions(name: str, count: int) -> np.ndarray:
    """Which values of a tap are sampled: the hash of 0, 1, … with the tap's name, modulo their number."""
    return synthetic.hashes(name, SAMPLES) % np.uint32(count)


def build(arch: str, folder: Path) -> CustomTextCLIP:
    config = open_clip.get_model_config(arch)
    XLMRobertaConfig(**XLM_ROBERTA_LARGE).save_pretrained(folder)
    config["text_cfg"] |= {"hf_model_name": str(folder), "hf_model_pretrained": False}
    config.pop("custom_text", None)
    with torch.device("meta"):
        model = CustomTextCLIP(**config)
    model = model.to_empty(device="cpu").eval()
    for name, parameter in model.named_parameters():
        parameter.data = torch.from_numpy(synthetic.values(name, tuple(parameter.shape)))
    embeddings = model.text.transformer.embeddings
    embeddings.position_ids = torch.arange(embeddings.position_ids.shape[-1]).expand((1, -1))
    embeddings.token_type_ids = torch.zeros_like(embeddings.position_ids)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", default="xlm-roberta-large-ViT-H-14")
    parser.add_argument("--out", type=Path, default=ROOT / "fixtures" / "full" / "golden.safetensors")
    parser.add_argument("--work", type=Path, default=Path("."), help="folder for the text network's config.json")
    options = parser.parse_args()
    model = build(options.arch, options.work)
    _, ids = random_inputs(model, seed=0, images=1, texts=2, length=77)
    pixels = torch.from_numpy(synthetic.values("input.image", (1, 3, *model.visual.image_size)))
    mask = ids != model.text.config.pad_token_id

    def real(tap: torch.Tensor) -> np.ndarray:
        """The values that mean something: at texts' padding the reference's are arbitrary."""
        if tap.dim() == 3 and tap.shape[:2] == ids.shape:
            tap = tap[mask]
        return tap.double().numpy().ravel()

    idle = {n for n, m in model.named_modules() if isinstance(m, (torch.nn.Identity, torch.nn.Dropout))}
    single = {name: real(tap) for name, tap in golden(model, pixels, ids).items()}
    model.double()
    errors, sampled = {}, {}
    for name, tap in golden(model, pixels.double(), ids).items():
        if name.startswith("input.") or name in idle:
            continue
        exact = real(tap)
        norm = float(np.linalg.norm(exact))
        errors[name] = float(np.linalg.norm(single[name] - exact)) / norm if norm else 0.0
        figures = np.concatenate([[norm, exact.mean()], exact[positions(name, exact.size)]])
        sampled[name] = torch.from_numpy(figures.astype(np.float32))
    metadata = {
        **reference.versions(),
        "arch": options.arch,
        "seed": "0",
        "float32_error": json.dumps({name: float(f"{error:.3g}") for name, error in errors.items()}),
        "command": shlex.join(["python", *sys.argv]),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file({"input.text": ids, **sampled}, options.out, metadata)
    print(f"{len(sampled)} taps, worst float32 error of PyTorch {max(errors.values()):.2e}")


if __name__ == "__main__":
    main()
