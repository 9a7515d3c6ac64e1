"""The very small models that training goldens start from, and the pairs that they learn.

Written to fixtures/training by training.py. A few thousand weights each, so that goldens stay small.
"""

import json
from pathlib import Path

import reference
import safetensors.torch
import torch
from transformers import BertConfig, XLMRobertaConfig

VISION = {"image_size": [8, 12], "layers": 2, "width": 8, "head_width": 4, "patch_size": 4, "mlp_ratio": 2.0}
NETWORK = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "hidden_dropout_prob": 0.0,  # the case "dropout" sets it
    "attention_probs_dropout_prob": 0.0,
}
MODELS = {
    "multilingual": {
        "network": XLMRobertaConfig(
            vocab_size=48, max_position_embeddings=20, type_vocab_size=1, layer_norm_eps=1e-5, **NETWORK
        ),
        "model_cfg": {
            "embed_dim": 8,
            "vision_cfg": VISION,
            "text_cfg": {"hf_model_name": "text", "hf_pooler_type": "mean_pooler", "context_length": 16},
        },
    },
    "plain": {
        "network": None,
        "model_cfg": {
            "embed_dim": 8,
            "custom_text": True,  # as lock_text_tower requires
            "vision_cfg": VISION,
            "text_cfg": {"context_length": 10, "vocab_size": 48, "width": 8, "heads": 2, "layers": 3, "mlp_ratio": 2.0},
        },
    },
    "bert": {
        "network": BertConfig(vocab_size=48, max_position_embeddings=20, type_vocab_size=2, **NETWORK),
        "model_cfg": {
            "embed_dim": 8,
            "quick_gelu": True,
            "vision_cfg": VISION,
            "text_cfg": {
                "hf_model_name": "text",
                "hf_proj_type": "linear",
                "hf_pooler_type": "cls_pooler",
                "context_length": 16,
            },
        },
    },
}
PAIRS = 24


def perturb(model: torch.nn.Module, seed: int) -> None:
    """Gives norms and biases random values, which initial ones and zeros would not: those would hide bugs."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() == 0:
            parameter.data.fill_(2.5)
        elif parameter.dim() == 1:
            is_norm = name.endswith("weight")
            parameter.data = 1 + 0.1 * noise if is_norm else 0.1 * noise
        else:
            parameter.data = 0.7 * noise * parameter.shape[-1] ** -0.5


def write(root: Path) -> None:
    """Writes the model directories and pairs.safetensors."""
    for seed, (name, spec) in enumerate(MODELS.items()):
        directory = root / name
        directory.mkdir(parents=True, exist_ok=True)
        if spec["network"] is not None:
            spec["network"].save_pretrained(directory / "text")
        config = {"model_cfg": spec["model_cfg"]}
        torch.manual_seed(seed)
        model = reference.build(config, directory)
        perturb(model, seed)
        (directory / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
        state = {key: value.contiguous() for key, value in model.state_dict().items()}
        safetensors.torch.save_file(state, directory / "open_clip_model.safetensors")
    generator = torch.Generator().manual_seed(20)
    images = torch.randn(PAIRS, 3, *VISION["image_size"], generator=generator)
    # Some words are frequent and some never occur, so that rows of the table stay unread, for a while or for ever.
    lengths = torch.randint(3, 11, (PAIRS,), generator=generator)
    words = 3 + (torch.rand(PAIRS, 16, generator=generator) ** 2 * 40).long()
    tensors = {"images": images, "lengths": lengths, "words": words}
    safetensors.torch.save_file(tensors, root / "pairs.safetensors")


def ids_of(model: torch.nn.Module, lengths: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """Rows of token ids, padded to the longest, or for CLIP's own tower to its context."""
    special = reference.special_ids(model)
    width = model.context_length if reference.is_plain(model) else int(lengths.max())
    ids = torch.full((len(lengths), width), special.pad)
    for row, length, chosen in zip(ids, lengths, words, strict=True):
        row[0], row[length - 1] = special.start, special.end
        row[1 : length - 1] = chosen[: length - 2]
    return ids
