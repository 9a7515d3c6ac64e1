"""Writes fixtures/condition/golden.safetensors: what diffusers' pipelines compute from images and prompts.

    PYTHONPATH=DIFFUSERS/src python tools/golden/condition.py

DIFFUSERS is a clone of huggingface/diffusers. The encoders are transformers' CLIPTextModel, CLIPVisionModelWithProjection
and CLIPVisionModel with the weights of fixtures/origins/clip-model; the text encoder lacks the last block, as Stable
Diffusion 2's does. The tensors come from the methods of the pipelines:
- `prompt_embeds`, `negative_prompt_embeds`: StableDiffusionPipeline.encode_prompt, of `input.text`, `input.negative`;
- `ip_adapter_image_embeds`, `ip_adapter_plus_image_embeds`: StableDiffusionPipeline.prepare_ip_adapter_image_embeds;
- `unclip_image_embeds`: what StableUnCLIPImg2ImgPipeline._encode_image hands to noise_image_embeddings;
- `svd_image_embeddings`: StableVideoDiffusionPipeline._encode_image;
- `wan_image_embeds`: WanImageToVideoPipeline.encode_image;
and pixels of random images `image.N` [H, W, 3]:
- `transformers.N`: CLIPImageProcessorPil with edges of 28 pixels;
- `svd.N`: every 7th row and column of what StableVideoDiffusionPipeline._encode_image hands to its encoder.

With `--full`, it writes fixtures/condition/full.safetensors: ViT-H-14 on synthetic weights (synthetic.py), one image and
one prompt. `hidden_states` and `prompt_embeds` hold every 97th value, `image_embeds` all.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import diffusers
import numpy
import PIL.Image
import safetensors.torch
import synthetic
import torch
import transformers
from diffusers import (
    StableDiffusionPipeline,
    StableUnCLIPImg2ImgPipeline,
    StableVideoDiffusionPipeline,
    WanImageToVideoPipeline,
)
from diffusers.models.embeddings import ImageProjection
from diffusers.video_processor import VideoProcessor
from transformers import (
    CLIPImageProcessorPil,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    CLIPVisionModelWithProjection,
)

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "fixtures" / "origins" / "clip-model"
CONTEXT, BOS, EOS = 12, 88, 89
SIZES = [(61, 47), (33, 59), (28, 35), (150, 125), (900, 24)]  # 28 x 35: the crop begins at 3.5


def encoders() -> tuple[torch.nn.Module, torch.nn.Module, torch.nn.Module]:
    config = json.loads((MODEL / "config.json").read_text())
    state = safetensors.torch.load_file(MODEL / "model.safetensors")
    text = config["text_config_dict"]
    text |= {"num_hidden_layers": text["num_hidden_layers"] - 1}
    vision = CLIPVisionConfig(**config["vision_config_dict"], projection_dim=config["projection_dim"])
    found = []
    towers = {
        "text_model": [CLIPTextModel(CLIPTextConfig(**text))],
        "vision_model": [CLIPVisionModelWithProjection(vision), CLIPVisionModel(vision)],
    }
    for tower, model in [(tower, model) for tower, models in towers.items() for model in models]:
        own = {name: state[name] if name in state else state[f"{tower}.{name}"] for name in model.state_dict()}
        model.load_state_dict(own, strict=True)
        found.append(model.eval())
    return tuple(found)


BLOCK = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj"}
BLOCK |= {"mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
OUTSIDE = {
    "embeddings.class_embedding": ("visual.class_embedding", ()),
    "embeddings.patch_embedding.weight": ("visual.conv1.weight", ()),
    "embeddings.token_embedding.weight": ("token_embedding.weight", ()),
    "visual_projection.weight": ("visual.proj", "transposed"),
}


def synthetic_tensor(name: str, shape: tuple[int, ...], prefix: str) -> torch.Tensor:
    """The synthetic weight of a tensor of transformers, whose shape it has but for the attention's three parts."""
    name = name.removeprefix("vision_model.").removeprefix("text_model.")
    norms = {"pre_layrnorm": "visual.ln_pre", "post_layernorm": "visual.ln_post", "final_layer_norm": "ln_final"}
    if name in OUTSIDE:
        ours, how = OUTSIDE[name]
        value = synthetic.values(ours, shape[::-1] if how else shape)
        return torch.from_numpy(value.T.copy() if how else value)
    if name == "embeddings.position_embedding.weight":
        return torch.from_numpy(synthetic.values(f"{prefix}positional_embedding", shape))
    module, _, kind = name.rpartition(".")
    if module in norms:
        return torch.from_numpy(synthetic.values(f"{norms[module]}.{kind}", shape))
    index, _, inner = module.removeprefix("encoder.layers.").partition(".")
    block = f"{prefix}transformer.resblocks.{index}"
    if inner in BLOCK:
        return torch.from_numpy(synthetic.values(f"{block}.{BLOCK[inner]}.{kind}", shape))
    part = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"].index(inner)
    whole = synthetic.values(f"{block}.attn.in_proj_{kind}", (3 * shape[0], *shape[1:]))
    return torch.from_numpy(whole[part * shape[0] : (part + 1) * shape[0]].copy())


def full() -> None:
    text = {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16, "num_hidden_layers": 23}
    text |= {"vocab_size": 49408, "max_position_embeddings": 77, "hidden_act": "gelu", "eos_token_id": 49407}
    vision = {"hidden_size": 1280, "intermediate_size": 5120, "num_attention_heads": 16, "num_hidden_layers": 32}
    vision |= {"image_size": 224, "patch_size": 14, "hidden_act": "gelu", "projection_dim": 1024}
    ids = torch.tensor([[49406, 320, 1125, 539, 320, 2368, 49407] + [0] * 70])
    found = {"input.text": ids}
    with torch.no_grad():
        for make, config, prefix in (
            (CLIPTextModel, CLIPTextConfig(**text), ""),
            (CLIPVisionModelWithProjection, CLIPVisionConfig(**vision), "visual."),
        ):
            model = make(config).eval()
            for name, parameter in model.named_parameters():
                parameter.copy_(synthetic_tensor(name, tuple(parameter.shape), prefix))
            if prefix == "":
                found["prompt_embeds"] = model(ids).last_hidden_state
            else:
                pixels = torch.from_numpy(synthetic.values("input.image", (1, 3, 224, 224)))
                out = model(pixels, output_hidden_states=True)
                found |= {"hidden_states": out.hidden_states[-2], "image_embeds": out.image_embeds}
    whole = ("input.text", "image_embeds")
    save("full", {name: value if name in whole else value.flatten()[::97] for name, value in found.items()})


def save(name: str, found: dict[str, torch.Tensor]) -> None:
    metadata = {
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "command": " ".join(["python", *sys.argv]),
    }
    tensors = {key: value.detach().contiguous().clone() for key, value in found.items()}
    out = ROOT / "fixtures" / "condition" / f"{name}.safetensors"
    out.parent.mkdir(exist_ok=True)
    safetensors.torch.save_file(tensors, out, metadata)


def bare(pipeline: type, **parts: object) -> object:
    """An object of the pipeline's class that has only the parts which the called method uses."""
    made = type(f"Bare{pipeline.__name__}", (pipeline,), {"__init__": lambda self: None})()
    for name, part in parts.items():
        object.__setattr__(made, name, part)
    return made


class Tokenizer:
    """Prompts are given as their ids, separated by blanks."""

    model_max_length = CONTEXT
    added_tokens_encoder: dict[str, int] = {}

    def tokenize(self, prompt: str) -> list[str]:
        return prompt.split()

    def __call__(self, prompts: list[str], **_: object) -> SimpleNamespace:
        rows = [[int(word) for word in prompt.split()] for prompt in prompts]
        ids = [[BOS, *row, EOS] + [0] * (CONTEXT - len(row) - 2) for row in rows]
        return SimpleNamespace(input_ids=torch.tensor(ids))


def main() -> None:
    text, projected, hidden = encoders()
    generator = torch.Generator().manual_seed(31)
    pixels = torch.randn(2, 3, 28, 28, generator=generator)
    prompts, negatives = ["5 17 40 63", "9 8 7 6 5 4 3 2 1 80"], ["", "33 44"]
    tokenizer = Tokenizer()
    found = {
        "input.image": pixels,
        "input.text": tokenizer(prompts).input_ids,
        "input.negative": tokenizer(negatives).input_ids,
    }
    cpu = torch.device("cpu")
    with torch.no_grad():
        pipe = bare(StableDiffusionPipeline, text_encoder=text, tokenizer=tokenizer, image_encoder=projected, unet=None)
        found["prompt_embeds"], found["negative_prompt_embeds"] = pipe.encode_prompt(prompts, cpu, 1, True, negatives)
        projections = {"ip_adapter": ImageProjection(8, 8), "ip_adapter_plus": torch.nn.Identity()}
        for name, projection in projections.items():
            layers = SimpleNamespace(encoder_hid_proj=SimpleNamespace(image_projection_layers=[projection]))
            object.__setattr__(pipe, "unet", layers)
            (embeds,) = pipe.prepare_ip_adapter_image_embeds([pixels], None, cpu, 1, True)
            found[f"{name}_image_embeds"] = embeds

        unclip = bare(StableUnCLIPImg2ImgPipeline, image_encoder=projected)
        kept = []
        object.__setattr__(unclip, "noise_image_embeddings", lambda image_embeds, **_: kept.append(image_embeds) or image_embeds)
        unclip._encode_image(pixels, cpu, 2, 1, False, 0, None, None)
        found["unclip_image_embeds"] = kept[0]

        svd = bare(
            StableVideoDiffusionPipeline,
            image_encoder=projected,
            video_processor=VideoProcessor(do_resize=True, vae_scale_factor=8),
            feature_extractor=lambda images, **_: SimpleNamespace(pixel_values=images),
        )
        found["svd_image_embeddings"] = svd._encode_image(pixels, cpu, 1, True)
        wan = bare(WanImageToVideoPipeline, image_encoder=hidden)
        wan_inputs = type("Inputs", (dict,), {"to": lambda self, device: self})(pixel_values=pixels)
        object.__setattr__(wan, "image_processor", lambda images, **_: wan_inputs)
        found["wan_image_embeds"] = wan.encode_image(pixels, cpu)

        processor = CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
        given = []

        class Seen(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.weight = torch.nn.Parameter(torch.zeros(1))

            def forward(self, image: torch.Tensor) -> SimpleNamespace:
                given.append(image)
                return SimpleNamespace(image_embeds=image[:, 0, 0])

        object.__setattr__(svd, "image_encoder", Seen())
        object.__setattr__(svd, "feature_extractor", CLIPImageProcessorPil())
        for i, (height, width) in enumerate(SIZES):
            image = torch.randint(0, 256, (height // 5 + 2, width // 5 + 2, 3), generator=generator, dtype=torch.uint8)
            image = numpy.array(PIL.Image.fromarray(image.numpy()).resize((width, height), PIL.Image.Resampling.BILINEAR))
            found[f"image.{i}"] = torch.from_numpy(image)
            found[f"transformers.{i}"] = processor(PIL.Image.fromarray(image), return_tensors="pt").pixel_values[0]
            svd._encode_image([PIL.Image.fromarray(image)], cpu, 1, False)
            found[f"svd.{i}"] = given[-1][0, :, ::7, ::7]
    save("golden", found)


if __name__ == "__main__":
    full() if "--full" in sys.argv else main()
