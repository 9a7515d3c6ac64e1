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
"""

import json
from pathlib import Path
from types import SimpleNamespace

import diffusers
import numpy
import PIL.Image
import safetensors.torch
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
    metadata = {
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "command": "python tools/golden/condition.py",
    }
    tensors = {name: value.detach().contiguous().clone() for name, value in found.items()}
    out = ROOT / "fixtures" / "condition" / "golden.safetensors"
    out.parent.mkdir(exist_ok=True)
    safetensors.torch.save_file(tensors, out, metadata)
    for name, value in tensors.items():
        print(name, list(value.shape), value.float().norm().item())


if __name__ == "__main__":
    main()
