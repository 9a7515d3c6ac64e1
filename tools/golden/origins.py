"""Writes fixtures/origins: tiny models of other projects, saved as published, and goldens of their own classes.

    python tools/golden/origins.py --cn-clip CHECKOUT

CHECKOUT is a clone of OFA-Sys/Chinese-CLIP. Each folder of fixtures/origins has the model's files and a
golden.safetensors: the outputs of the *origin's* modules under the names of OpenCLIP's taps, so that `verify` compares
this package, through its translation, with the origin.
- chinese-clip: transformers' ChineseCLIPModel, pytorch_model.bin; its config lists only what differs from the defaults;
- cn-clip: cn_clip's own CLIP class, a fine-tuned checkpoint (`module.`, epoch, optimizer);
- cn-clip-flash: the same weights under the names of a training with FlashAttention;
- clip-italian: VisionTextDualEncoderModel with transformers 4's names and the untrained logit scale;
- clip-model: CLIPModel with the repeated `…_config_dict` of old files;
- rinna-clip, rinna-cloob: ViTModel and RobertaModel with positions from 0, as rinna's classes compose them.

Four taps have no module of the same output there, and are computed from the origin's modules: visual.ln_post (Hugging
Face and cn_clip normalise the class token only), rinna's visual.conv1 (without the bias, which moves into the positions),
cn_clip's text activation (a function), and the pooled text.
"""

import argparse
import importlib.util
import json
import math
import shutil
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path

import reference
import safetensors.torch
import torch
from transformers import (
    BertConfig,
    BertModel,
    ChineseCLIPConfig,
    ChineseCLIPModel,
    CLIPConfig,
    CLIPModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    RobertaConfig,
    RobertaModel,
    VisionTextDualEncoderConfig,
    VisionTextDualEncoderModel,
    ViTConfig,
    ViTModel,
)

ROOT = Path(__file__).resolve().parents[2]
Taps = dict[str, torch.Tensor]

VISION = {"hidden_size": 32, "intermediate_size": 72, "num_hidden_layers": 2, "num_attention_heads": 4}
VISION |= {"image_size": 28, "patch_size": 14}
BERT = {"vocab_size": 120, "hidden_size": 24, "intermediate_size": 56, "num_hidden_layers": 2}
BERT |= {"num_attention_heads": 2, "max_position_embeddings": 20}
EMBED_DIM = 20


def perturb(model: torch.nn.Module, seed: int) -> None:
    """Random weights of a size at which every layer has an effect; see tiny.py."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        is_norm = "norm" in name.lower() or ".ln_" in name or "layrnorm" in name
        if name.endswith("logit_scale"):
            parameter.data.fill_(2.5)
        elif is_norm and name.endswith("weight"):
            parameter.data = 1 + 0.2 * noise
        elif parameter.dim() == 1:
            parameter.data = 0.3 * noise
        else:
            parameter.data = noise * parameter[0].numel() ** -0.5


def record(model: torch.nn.Module, run: Callable[[], None]) -> Taps:
    taps = reference.record(model, run)
    return {name: value.float() for name, value in taps.items()}


def inputs(vocab: int, pad: int, length: int, size: int = 28, end: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Two images and three texts of different lengths; the second text has padding inside, but for CLIP's own tower."""
    generator = torch.Generator().manual_seed(11)
    pixels = torch.randn(2, 3, size, size, generator=generator)
    ids = torch.full((3, length), pad)
    for row, tokens in enumerate([length, length - 2, 4]):
        ids[row, :tokens] = torch.randint(5, vocab - 2, (tokens,), generator=generator)
        if end is not None:
            ids[row, tokens - 1] = end
    if end is None:
        ids[1, 2] = pad
    return pixels, ids


BLOCK = {
    "self_attn": "attn",
    "attention": "attn",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "layernorm_before": "ln_1",
    "layernorm_after": "ln_2",
    "mlp": "mlp",
    "mlp.fc1": "mlp.c_fc",
    "mlp.activation_fn": "mlp.gelu",
    "mlp.fc2": "mlp.c_proj",
}


def blocks(taps: Taps, prefix: str, to: str) -> Taps:
    """The taps of Hugging Face's blocks `prefix.{i}` under the names `to.resblocks.{i}`."""
    found = {}
    for name, value in taps.items():
        if not name.startswith(f"{prefix}."):
            continue
        index, _, rest = name.removeprefix(f"{prefix}.").partition(".")
        if index.isdigit() and (rest == "" or rest in BLOCK):
            found[f"{to}.resblocks.{index}" + (f".{BLOCK[rest]}" if rest else "")] = value
    return found


def bert_taps(taps: Taps, prefix: str) -> Taps:
    """BERT's names are OpenCLIP's."""
    return {
        f"text.transformer{name.removeprefix(prefix)}": value
        for name, value in taps.items()
        if (name == prefix or name.startswith(f"{prefix}.")) and not name.endswith(("dropout", ".encoder.layer"))
    }


def one_row_of_positions(taps: Taps, prefix: str) -> None:
    """OpenCLIP's BERT has one row of positions for all texts, others have the same row for each."""
    name = f"{prefix}.embeddings.position_embeddings"
    assert all(torch.equal(row, taps[name][0]) for row in taps[name])
    taps[name] = taps[name][:1]


def features(image: torch.Tensor, text: torch.Tensor, scale: float) -> Taps:
    image, text = image / image.norm(dim=-1, keepdim=True), text / text.norm(dim=-1, keepdim=True)
    return {"image_features": image, "text_features": text, "logits_per_image": scale * image @ text.T}


def clip_vision_taps(taps: Taps, model: torch.nn.Module, prefix: str) -> Taps:
    hidden = taps[f"{prefix}.encoder"]
    normed = model.get_submodule(f"{prefix}.post_layernorm")(hidden)
    assert torch.equal(normed[:, 0], taps[f"{prefix}.post_layernorm"])
    return {
        "visual.conv1": taps[f"{prefix}.embeddings.patch_embedding"],
        "visual.ln_pre": taps[f"{prefix}.pre_layrnorm"],
        **blocks(taps, f"{prefix}.encoder.layers", "visual.transformer"),
        "visual.transformer": hidden,
        "visual.ln_post": normed.detach(),
    }


def write(name: str, config: dict, taps: Taps, given: tuple[torch.Tensor, torch.Tensor]) -> Path:
    directory = ROOT / "fixtures" / "origins" / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if config:
        (directory / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    metadata = {**reference.versions(), "command": "python tools/golden/origins.py", "origin": name}
    tensors = {"input.image": given[0], "input.text": given[1]} | taps
    tensors = {key: value.detach().contiguous().clone() for key, value in tensors.items()}
    safetensors.torch.save_file(tensors, directory / "golden.safetensors", metadata)
    print(f"{name}: {len(taps)} taps")
    return directory


def saved(model: torch.nn.Module) -> tuple[Taps, dict]:
    """The tensors and the config that save_pretrained writes."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        state = safetensors.torch.load_file(Path(folder) / "model.safetensors")
        return state, json.loads((Path(folder) / "config.json").read_text())


def chinese_clip() -> None:
    config = ChineseCLIPConfig(text_config=BERT, vision_config=VISION, projection_dim=EMBED_DIM)
    torch.manual_seed(0)
    model = ChineseCLIPModel(config).eval()
    perturb(model, 21)
    pixels, ids = inputs(BERT["vocab_size"], 0, 12)
    mask = (ids != 0).long()
    out = {}

    def run() -> None:
        out.update(model(input_ids=ids, attention_mask=mask, pixel_values=pixels))

    taps = record(model, run)
    image, text = taps["visual_projection"], taps["text_projection"]
    ours = clip_vision_taps(taps, model, "vision_model") | {"visual": image}
    ours |= bert_taps(taps, "text_model")
    ours |= {"text.pooler": taps["text_model"][:, 0], "text.proj": text, "text": text}
    ours |= features(image, text, math.exp(2.5))
    assert torch.allclose(ours["logits_per_image"], out["logits_per_image"], atol=1e-5)
    state, written = saved(model)
    directory = write("chinese-clip", written, ours, (pixels, ids))
    state["text_model.embeddings.position_ids"] = torch.arange(BERT["max_position_embeddings"])[None]
    state["vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    torch.save(state, directory / "pytorch_model.bin")


def cn_clip(checkout: Path) -> None:
    model_file = checkout / "cn_clip" / "clip" / "model.py"
    six = types.ModuleType("six")
    six.PY3, six.PY2, six.string_types = True, False, (str,)
    sys.modules["six"] = six
    for name in ("cn_clip", "cn_clip.clip"):
        package = types.ModuleType(name)
        package.__path__ = [str(checkout / name.replace(".", "/"))]
        package._tokenizer = types.SimpleNamespace(vocab={"[PAD]": 0})
        sys.modules[name] = package
    spec = importlib.util.spec_from_file_location("cn_clip.clip.model", model_file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    model = module.CLIP(
        embed_dim=EMBED_DIM,
        image_resolution=28,
        vision_layers=2,
        vision_width=64,
        vision_patch_size=14,
        vocab_size=120,
        text_attention_probs_dropout_prob=0.1,
        text_hidden_act="gelu",
        text_hidden_dropout_prob=0.1,
        text_hidden_size=64,
        text_initializer_range=0.02,
        text_intermediate_size=96,
        text_max_position_embeddings=20,
        text_num_attention_heads=1,
        text_num_hidden_layers=2,
        text_type_vocab_size=2,
        tokenizer=types.SimpleNamespace(vocab={"[PAD]": 0}),
    ).eval()
    perturb(model, 22)
    pixels, ids = inputs(120, 0, 12)
    out = []
    taps = record(model, lambda: out.extend([model.encode_image(pixels), model.encode_text(ids)]))
    image, text = out
    swapped = {}  # cn_clip's blocks have the sequence first
    for name, value in taps.items():
        if name.startswith("visual.transformer") and not name.endswith("resblocks"):
            swapped[name] = value.transpose(0, 1)
    normed = model.visual.ln_post(swapped["visual.transformer"])
    assert torch.equal(normed[:, 0], taps["visual.ln_post"])
    ours = {name: taps[name] for name in ("visual.conv1", "visual.ln_pre", "visual")}
    one_row_of_positions(taps, "bert")
    for layer in range(2):  # its activation is a function
        path = f"bert.encoder.layer.{layer}.intermediate"
        taps[f"{path}.intermediate_act_fn"] = torch.nn.functional.gelu(taps[f"{path}.dense"])
    ours |= swapped | {"visual.ln_post": normed} | bert_taps(taps, "bert")
    ours |= {"text.pooler": taps["bert"][:, 0], "text.proj": text, "text": text}
    ours |= features(image, text, math.exp(2.5))
    for key in [key for key in ours if key.endswith((".attn.out_proj",))]:
        del ours[key]
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    directory = write("cn-clip", {}, ours, (pixels, ids))
    checkpoint = {"epoch": 3, "step": 40, "name": "finetune", "state_dict": state}
    torch.save(checkpoint | {"optimizer": {"state": {}, "param_groups": []}}, directory / "epoch_latest.pt")

    flash = {}
    for name, value in state.items():
        name = name.replace("attn.in_proj_weight", "attn.Wqkv.weight").replace("attn.in_proj_bias", "attn.Wqkv.bias")
        if "bert" in name and ".attention." in name:
            if ".self.key." in name or ".self.value." in name:
                continue
            if ".self.query." in name:
                parts = [state[name.replace("query", part)] for part in ("query", "key", "value")]
                name, value = name.replace("query", "Wqkv"), torch.cat(parts)
            name = name.replace("attention.output.dense", "attention.self.out_proj")
        flash[name] = value
    directory = write("cn-clip-flash", {}, ours, (pixels, ids))
    torch.save({"state_dict": flash}, directory / "epoch1.pt")


def clip_italian() -> None:
    vision = CLIPVisionConfig(**VISION | {"image_size": 32, "patch_size": 16})
    bert = BertConfig(**BERT | {"vocab_size": 130, "num_attention_heads": 3})
    torch.manual_seed(0)
    config = VisionTextDualEncoderConfig.from_vision_text_configs(
        vision, bert, projection_dim=EMBED_DIM, logit_scale_init_value=1.0
    )
    model = VisionTextDualEncoderModel(config, CLIPVisionModel(vision), BertModel(bert)).eval()
    perturb(model, 23)
    model.logit_scale.data.fill_(1)
    pixels, ids = inputs(130, 0, 12, 32)
    mask = (ids != 0).long()
    taps = record(model, lambda: model(input_ids=ids, attention_mask=mask, pixel_values=pixels))
    image, text = taps["visual_projection"], taps["text_projection"]
    prefix = "vision_model.vision_model" if "vision_model.vision_model.encoder" in taps else "vision_model"
    ours = clip_vision_taps(taps, model, prefix) | {"visual": image}
    ours |= bert_taps(taps, "text_model")
    ours |= {"text.pooler": taps["text_model.pooler"], "text.proj": text, "text": text}
    ours |= features(image, text, 20)
    state, written = saved(model)
    state = {
        name if not name.startswith("vision_model.") else f"vision_model.vision_model.{name.split('vision_model.')[-1]}": value
        for name, value in state.items()
    }
    directory = write("clip-italian", written, ours, (pixels, ids))
    safetensors.torch.save_file(state, directory / "model.safetensors", {"format": "pt"})


def clip_model() -> None:
    text = {"vocab_size": 90, "hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 3}
    text |= {"num_attention_heads": 3, "max_position_embeddings": 12, "eos_token_id": 89, "bos_token_id": 88}
    text |= {"hidden_act": "gelu", "layer_norm_eps": 0.001}
    vision = VISION | {"hidden_act": "gelu", "num_attention_heads": 2}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=EMBED_DIM)
    torch.manual_seed(0)
    model = CLIPModel(config).eval()
    perturb(model, 24)
    pixels, ids = inputs(90, 0, 12, end=89)
    taps = record(model, lambda: model(input_ids=ids, pixel_values=pixels))
    image, words = taps["visual_projection"], taps["text_projection"]
    ours = clip_vision_taps(taps, model, "vision_model") | {"visual": image}
    ours |= {
        "token_embedding": taps["text_model.embeddings.token_embedding"],
        **blocks(taps, "text_model.encoder.layers", "transformer"),
        "transformer": taps["text_model.encoder"],
        "ln_final": taps["text_model.final_layer_norm"],
    }
    ours |= features(image, words, math.exp(2.5))
    state, written = saved(model)
    written |= {"text_config_dict": text, "vision_config_dict": vision, "text_config": {}, "vision_config": {}}
    directory = write("clip-model", written, ours, (pixels, ids))
    safetensors.torch.save_file(state, directory / "model.safetensors", {"format": "pt"})


def rinna(name: str, seed: int) -> None:
    vision = ViTConfig(**VISION | {"num_attention_heads": 2, "layer_norm_eps": 0.001})
    roberta = RobertaConfig(**BERT | {"type_vocab_size": 2, "pad_token_id": 3, "layer_norm_eps": 1e-5})
    torch.manual_seed(0)
    model = torch.nn.Module()
    model.vision_model = ViTModel(vision, add_pooling_layer=False)
    model.text_model = RobertaModel(roberta, add_pooling_layer=False)
    model.visual_projection = torch.nn.Linear(32, EMBED_DIM, bias=False)
    model.text_projection = torch.nn.Linear(24, EMBED_DIM, bias=False)
    model.eval()
    perturb(model, seed)
    pixels, ids = inputs(BERT["vocab_size"], 3, 12)

    def run() -> None:
        hidden = model.vision_model(pixels).last_hidden_state
        model.visual_projection(hidden[:, 0])
        positions = torch.arange(ids.shape[1])[None].expand(ids.shape)
        out = model.text_model(ids, attention_mask=(ids != 3).long(), position_ids=positions)
        model.text_projection(out.last_hidden_state[:, 0])

    taps = record(model, run)
    image, text = taps["visual_projection"], taps["text_projection"]
    projection = model.vision_model.embeddings.patch_embeddings.projection
    layers = "vision_model.layers" if "vision_model.layers.0" in taps else "vision_model.encoder.layer"
    last = taps[f"{layers}.{vision.num_hidden_layers - 1}"]
    ours = {
        "visual.conv1": torch.nn.functional.conv2d(pixels, projection.weight, stride=14),
        **blocks(taps, layers, "visual.transformer"),
        "visual.transformer": last,
        "visual.ln_post": taps["vision_model.layernorm"],
        "visual": image,
    }
    one_row_of_positions(taps, "text_model")
    ours |= bert_taps(taps, "text_model")
    ours |= {"text.pooler": taps["text_model"][:, 0], "text.proj": text, "text": text}
    is_cloob = name == "rinna-cloob"
    ours |= features(image, text, 30 if is_cloob else math.exp(2.5))
    state = {"visual_projection.weight": model.visual_projection.weight.data}
    state["text_projection.weight"] = model.text_projection.weight.data
    configs = {}
    for tower in ("vision", "text"):
        part, configs[f"{tower}_config"] = saved(model.get_submodule(f"{tower}_model"))
        state |= {f"{tower}_model.{key}": value for key, value in part.items()}
    state["text_model.embeddings.position_ids"] = torch.arange(BERT["max_position_embeddings"])[None]
    config = {"model_type": "clip", "projection_dim": EMBED_DIM, "logit_scale_init_value": 2.6592, **configs}
    if is_cloob:
        config |= {"model_type": "cloob", "init_inv_tau": 30.0, "scale_hopfield": 15.0}
    else:
        state["logit_scale"] = torch.tensor(2.5)
    directory = write(name, config, ours, (pixels, ids))
    safetensors.torch.save_file(state, directory / "model.safetensors", {"format": "pt"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cn-clip", type=Path, required=True, metavar="CHECKOUT")
    options = parser.parse_args()
    chinese_clip()
    cn_clip(options.cn_clip)
    clip_italian()
    clip_model()
    rinna("rinna-clip", 25)
    rinna("rinna-cloob", 26)


if __name__ == "__main__":
    main()
