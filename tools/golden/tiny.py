"""Writes the small random models of fixtures/tiny and their goldens.

    python tools/golden/tiny.py [NAME…]

Together the models cover every branch of the architecture. Each has a `golden.safetensors` and a
`gradients.safetensors` (gradients.py):
- gelu-mlp: F32, an oblong image (which reveals swapped rows and columns), mean pooler, two-layer projection;
- quickgelu-linear: F16, QuickGELU, XLM-R's own pooler, linear projection;
- no-projection: BF16 in two shards, pooled at the first token, no projection, a logit_scale of the shape [1];
- plain: F32, the English models' causal text tower at the root of the state dict;
- plain-quickgelu: F16, the same under `text.`, with QuickGELU in both towers;
- bert-first-token: F32, BERT pooled at [CLS] and QuickGELU in the image tower, as Chinese-CLIP;
- bert-pooler: F16, BERT with its own pooler, as clip-italian;
- bert-vit: F32, an image tower without ln_pre and another epsilon, and BERT whose padding is id 3, as rinna's CLIP.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import reference
import safetensors.torch
import torch
from transformers import BertConfig, XLMRobertaConfig

ROOT = Path(__file__).resolve().parents[2]

MODELS = {
    "gelu-mlp": {
        "seed": 1,
        "dtype": torch.float32,
        "text": {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 96},
        "model_cfg": {
            "embed_dim": 24,
            "vision_cfg": {
                "image_size": [28, 42],
                "layers": 3,
                "width": 40,
                "head_width": 20,
                "patch_size": 14,
            },
            "text_cfg": {"hf_model_name": "text", "hf_tokenizer_name": "text", "hf_pooler_type": "mean_pooler"},
        },
    },
    "quickgelu-linear": {
        "seed": 2,
        "dtype": torch.float16,
        "text": {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64},
        "model_cfg": {
            "embed_dim": 32,
            "quick_gelu": True,
            "vision_cfg": {
                "image_size": 28,
                "layers": 2,
                "width": 48,
                "head_width": 16,
                "patch_size": 7,
                "mlp_ratio": 2.0,
            },
            "text_cfg": {
                "hf_model_name": "text",
                "hf_pooler_type": "cls_pooler",
                "hf_proj_type": "linear",
                "context_length": 20,
            },
        },
    },
    "no-projection": {
        "seed": 3,
        "dtype": torch.bfloat16,
        "text": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 48},
        "model_cfg": {
            "embed_dim": 32,
            "nonscalar_logit_scale": True,
            "vision_cfg": {"image_size": 16, "layers": 1, "width": 32, "head_width": 8, "patch_size": 8},
            "text_cfg": {
                "hf_model_name": "text",
                "hf_pooler_type": "cls_last_hidden_state_pooler",
                "hf_proj_type": None,
            },
        },
    },
    "plain": {
        "seed": 4,
        "dtype": torch.float32,
        "model_cfg": {
            "embed_dim": 24,
            "vision_cfg": {"image_size": 28, "layers": 2, "width": 32, "head_width": 16, "patch_size": 14},
            "text_cfg": {"context_length": 12, "vocab_size": 120, "width": 40, "heads": 4, "layers": 3},
        },
    },
    "plain-quickgelu": {
        "seed": 5,
        "dtype": torch.float16,
        "model_cfg": {
            "embed_dim": 16,
            "quick_gelu": True,
            "custom_text": True,
            "vision_cfg": {"image_size": 16, "layers": 1, "width": 24, "head_width": 12, "patch_size": 8},
            "text_cfg": {"context_length": 9, "vocab_size": 60, "width": 32, "heads": 2, "layers": 2, "mlp_ratio": 2.0},
        },
    },
    "bert-first-token": {
        "seed": 6,
        "dtype": torch.float32,
        "bert": {
            "vocab_size": 200,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 80,
            "max_position_embeddings": 24,
        },
        "model_cfg": {
            "embed_dim": 24,
            "quick_gelu": True,
            "vision_cfg": {"image_size": 28, "layers": 2, "width": 32, "head_width": 16, "patch_size": 14},
            "text_cfg": {
                "hf_model_name": "text",
                "hf_tokenizer_name": "text",
                "hf_proj_type": "linear",
                "hf_pooler_type": "cls_last_hidden_state_pooler",
                "context_length": 20,
            },
        },
    },
    "bert-pooler": {
        "seed": 7,
        "dtype": torch.float16,
        "bert": {
            "vocab_size": 150,
            "hidden_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 48,
            "max_position_embeddings": 32,
        },
        "model_cfg": {
            "embed_dim": 16,
            "quick_gelu": True,
            "vision_cfg": {"image_size": 32, "layers": 2, "width": 24, "head_width": 12, "patch_size": 16},
            "text_cfg": {
                "hf_model_name": "text",
                "hf_tokenizer_name": "text",
                "hf_proj_type": "linear",
                "hf_pooler_type": "cls_pooler",
                "context_length": 30,
            },
        },
    },
    "bert-vit": {
        "seed": 8,
        "dtype": torch.float32,
        "bert": {
            "vocab_size": 180,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "max_position_embeddings": 40,
            "layer_norm_eps": 1e-5,
            "pad_token_id": 3,
        },
        "model_cfg": {
            "embed_dim": 20,
            "vision_cfg": {
                "image_size": 32,
                "layers": 3,
                "width": 32,
                "head_width": 8,
                "patch_size": 8,
                "no_ln_pre": True,
                "norm_kwargs": {"eps": 0.01},
            },
            "text_cfg": {
                "hf_model_name": "text",
                "hf_tokenizer_name": "text",
                "hf_proj_type": "linear",
                "hf_pooler_type": "cls_last_hidden_state_pooler",
                "context_length": 38,
            },
        },
    },
}


def perturb(model: torch.nn.Module, seed: int) -> None:
    """Gives norms and biases random values, some of them large. Their initial ones and zeros would hide bugs."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        norm = ".ln_" in name or "LayerNorm" in name
        if norm and name.endswith("weight"):
            parameter.data = 1 + 0.2 * noise
            # Trained transformers have a few channels that are much larger than the others.
            outliers = torch.randint(0, parameter.numel(), (2,), generator=generator)
            parameter.data[outliers] *= 8
        elif parameter.dim() == 1 and name != "logit_scale":
            parameter.data = 0.3 * noise
        elif "text.transformer" in name:
            # XLM-R's initialisation (0.02) is for a width of 1024. At this width the layers would have almost no effect.
            parameter.data = noise * parameter.shape[-1] ** -0.5
        elif name == "logit_scale":
            parameter.data.fill_(2.5)


def save(directory: Path, state: dict[str, torch.Tensor]) -> None:
    if "no-projection" not in directory.name:
        safetensors.torch.save_file(state, directory / "open_clip_model.safetensors")
        return
    names = sorted(state)
    halves = {
        "open_clip_model-00001-of-00002.safetensors": names[: len(names) // 2],
        "open_clip_model-00002-of-00002.safetensors": names[len(names) // 2 :],
    }
    for file, part in halves.items():
        safetensors.torch.save_file({name: state[name] for name in part}, directory / file)
    index = {
        "metadata": {"total_size": sum(value.nbytes for value in state.values())},
        "weight_map": {name: file for file, part in halves.items() for name in part},
    }
    (directory / "open_clip_model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


def main() -> None:
    for name in sys.argv[1:] or MODELS:
        spec = MODELS[name]
        directory = ROOT / "fixtures" / "tiny" / name
        directory.mkdir(parents=True, exist_ok=True)
        if "bert" in spec:
            BertConfig(type_vocab_size=2, **spec["bert"]).save_pretrained(directory / "text")
        if "text" in spec:
            XLMRobertaConfig(
                vocab_size=200,
                max_position_embeddings=80,
                type_vocab_size=1,
                layer_norm_eps=1e-5,
                **spec["text"],
            ).save_pretrained(directory / "text")
        config_file = directory / "open_clip_config.json"
        config_file.write_text(json.dumps({"model_cfg": spec["model_cfg"]}, indent=2) + "\n")
        torch.manual_seed(spec["seed"])
        model = reference.build({"model_cfg": spec["model_cfg"]}, directory)
        perturb(model, spec["seed"])
        save(directory, {key: value.to(spec["dtype"]).contiguous() for key, value in model.state_dict().items()})
        relative = os.path.relpath(directory, ROOT)
        subprocess.run(
            [sys.executable, "tools/golden/golden.py", "--model", relative, "--out", f"{relative}/golden.safetensors"],
            cwd=ROOT,
            check=True,
        )
        subprocess.run(
            [sys.executable, "tools/golden/gradients.py", "--model", relative, "--out", f"{relative}/gradients.safetensors"],
            cwd=ROOT,
            check=True,
        )


if __name__ == "__main__":
    main()
