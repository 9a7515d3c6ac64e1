"""Writes fixtures/origins: tiny models of other projects, saved as published, and goldens of their own classes.

    python tools/golden/origins.py --cn-clip CHECKOUT --japanese-clip CHECKOUT

The checkouts are clones of OFA-Sys/Chinese-CLIP and rinnakk/japanese-clip. Each folder of fixtures/origins has the model's
files, and
- golden.safetensors: the outputs of the *origin's* modules under the names of OpenCLIP's taps, so that `verify` compares
  this package, through its translation, with the origin;
- gradients.safetensors: `loss`, the contrastive loss of two pairs; `pixels`, its gradient at them; and its gradients at
  the origin's parameters, under their published names with the prefix `gradient.`.

The models:
- chinese-clip: transformers' ChineseCLIPModel, pytorch_model.bin; its config lists only what differs from the defaults;
- cn-clip: cn_clip's own CLIP class, a fine-tuned checkpoint (`module.`, epoch, optimizer);
- cn-clip-flash: the same weights under the names of a training with FlashAttention;
- clip-italian: VisionTextDualEncoderModel with transformers 4's names and the untrained logit scale;
- clip-model: CLIPModel with the repeated `…_config_dict` of old files;
- rinna-clip, rinna-cloob: rinna's own CLIPModel and CLOOBModel of ViTModel and RobertaModel, with positions from 0.

Four taps have no module of the same output there, and are computed from the origin's modules: visual.ln_post (Hugging
Face and cn_clip normalise the class token only), rinna's visual.conv1 (without the bias, which moves into the positions),
cn_clip's text activation (a function), and the pooled text.
"""

import argparse
import importlib
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
import transformers.modeling_utils
from open_clip.loss import ClipLoss
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
    VisionTextDualEncoderConfig,
    VisionTextDualEncoderModel,
    ViTConfig,
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


def write_gradients(
    directory: Path,
    model: torch.nn.Module,
    encode: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    scale: torch.Tensor,
    state_of: Callable[[], Taps],
) -> None:
    """Takes the first two pairs of the golden's inputs. The parameters of `model` are lost."""
    golden = safetensors.torch.load_file(directory / "golden.safetensors")
    pixels, ids = golden["input.image"][:2].requires_grad_(), golden["input.text"][:2]
    model.zero_grad()
    image, text = encode(pixels, ids)
    image, text = image / image.norm(dim=-1, keepdim=True), text / text.norm(dim=-1, keepdim=True)
    loss = ClipLoss()(image, text, scale)
    loss.backward()
    for parameter in model.parameters():
        parameter.data = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    state = {f"gradient.{name}": value for name, value in state_of().items() if value.is_floating_point()}
    tensors = {"loss": loss, "pixels": pixels.grad} | state
    tensors = {name: value.detach().contiguous().clone() for name, value in tensors.items()}
    safetensors.torch.save_file(tensors, directory / "gradients.safetensors", reference.versions())


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

    def encode(pixels: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        out = model(input_ids=ids, attention_mask=(ids != 0).long(), pixel_values=pixels)
        return out.image_embeds, out.text_embeds

    write_gradients(directory, model, encode, model.logit_scale.exp(), lambda: saved(model)[0])


def with_flash_names(state: Taps) -> Taps:
    """The names that cn_clip's training with FlashAttention gives to the same parameters."""
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
    return flash


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

    flash_directory = write("cn-clip-flash", {}, ours, (pixels, ids))
    torch.save({"state_dict": with_flash_names(state)}, flash_directory / "epoch1.pt")

    def encode(pixels: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return model.encode_image(pixels), model.encode_text(ids)

    write_gradients(directory, model, encode, model.logit_scale.exp(), lambda: dict(model.state_dict()))


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
    directory = write("clip-italian", written, ours, (pixels, ids))
    safetensors.torch.save_file(nested(state), directory / "model.safetensors", {"format": "pt"})

    def encode(pixels: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        out = model(input_ids=ids, attention_mask=(ids != 0).long(), pixel_values=pixels)
        return out.image_embeds, out.text_embeds

    write_gradients(directory, model, encode, torch.tensor(20.0), lambda: nested(saved(model)[0]))


def nested(state: Taps) -> Taps:
    """The names of transformers 4, where the vision model is nested once more."""
    prefix = "vision_model."
    return {
        f"{prefix}{prefix}{name.split(prefix)[-1]}" if name.startswith(prefix) else name: value
        for name, value in state.items()
    }


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

    def encode(pixels: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        out = model(input_ids=ids, pixel_values=pixels)
        return out.image_embeds, out.text_embeds

    write_gradients(directory, model, encode, model.logit_scale.exp(), lambda: saved(model)[0])


def rinna_classes(checkout: Path, kind: str) -> tuple[type, type]:
    """The model and the config of rinna's package, whose own __init__ needs packages that are not used here."""
    transformers.modeling_utils.ModelOutput = transformers.utils.ModelOutput  # where transformers 4 had it
    for name in ("japanese_clip", "japanese_clip.clip", "japanese_clip.cloob"):
        package = types.ModuleType(name)
        package.__path__ = [str(checkout / "src" / name.replace(".", "/"))]
        sys.modules[name] = package
    modeling = importlib.import_module(f"japanese_clip.{kind}.modeling_{kind}")
    configuration = importlib.import_module(f"japanese_clip.{kind}.configuration_{kind}")
    name = kind.upper()
    return getattr(modeling, f"{name}Model"), getattr(configuration, f"{name}Config")


def rinna(checkout: Path, kind: str, seed: int) -> None:
    vision = ViTConfig(**VISION | {"num_attention_heads": 2, "layer_norm_eps": 0.001})
    roberta = RobertaConfig(**BERT | {"type_vocab_size": 2, "pad_token_id": 3, "layer_norm_eps": 1e-5})
    model_class, config_class = rinna_classes(checkout, kind)
    torch.manual_seed(0)
    configs = {"vision_config": vision.to_dict(), "text_config": roberta.to_dict()}
    model = model_class(config_class(**configs, projection_dim=EMBED_DIM)).eval()
    perturb(model, seed)
    pixels, ids = inputs(BERT["vocab_size"], 3, 12)

    def encode(pixels: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        positions = torch.arange(ids.shape[1])[None].expand(ids.shape)
        text = model.get_text_features(input_ids=ids, attention_mask=(ids != 3).long(), position_ids=positions)
        return model.get_image_features(pixel_values=pixels), text

    taps = record(model, lambda: encode(pixels, ids))
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
    is_cloob = kind == "cloob"
    scale = torch.tensor(30.0) if is_cloob else model.logit_scale.exp()
    ours |= features(image, text, scale.item())

    def state_of() -> Taps:
        state = {name: value for name, value in model.state_dict().items() if "projection" in name and "_model" not in name}
        if not is_cloob:
            state["logit_scale"] = model.logit_scale
        for tower in ("vision_model", "text_model"):
            part, _ = saved(model.get_submodule(tower))
            state |= {f"{tower}.{name}": value for name, value in part.items()}
        return {name: value.detach() for name, value in state.items()}

    written = {f"{tower}_config": saved(model.get_submodule(f"{tower}_model"))[1] for tower in ("vision", "text")}
    config = {"model_type": "clip", "projection_dim": EMBED_DIM, "logit_scale_init_value": 2.6592, **written}
    if is_cloob:
        config |= {"model_type": "cloob", "init_inv_tau": 30.0, "scale_hopfield": 15.0}
    state = state_of() | {"text_model.embeddings.position_ids": torch.arange(BERT["max_position_embeddings"])[None]}
    directory = write(f"rinna-{kind}", config, ours, (pixels, ids))
    safetensors.torch.save_file(state, directory / "model.safetensors", {"format": "pt"})

    def without_patch_bias() -> Taps:
        """The translation adds the patches' bias to the positions, so that their gradient is that of the positions."""
        state = state_of()
        bias = state["vision_model.embeddings.patch_embeddings.projection.bias"]
        return state | {"vision_model.embeddings.patch_embeddings.projection.bias": torch.zeros_like(bias)}

    # RoBERTa's padding index keeps the gradient of that position at 0, though with positions from 0 texts have it.
    model.text_model.embeddings.position_embeddings.padding_idx = None
    write_gradients(directory, model, encode, scale, without_patch_bias)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cn-clip", type=Path, required=True, metavar="CHECKOUT")
    parser.add_argument("--japanese-clip", type=Path, required=True, metavar="CHECKOUT")
    options = parser.parse_args()
    chinese_clip()
    cn_clip(options.cn_clip)
    clip_italian()
    clip_model()
    rinna(options.japanese_clip, "clip", 25)
    rinna(options.japanese_clip, "cloob", 26)


if __name__ == "__main__":
    main()
