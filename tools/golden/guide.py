"""Writes fixtures/guide/golden.safetensors: one step of image generation in PyTorch, on fixtures/tiny/plain.

    python tools/golden/guide.py

`coefficients` [2, 3, H, W/2 + 1] become `image` [3, H, W] by torch.fft.irfft2 and lucent's colours. Two cutouts are taken:
the whole canvas (torch's antialiased interpolation) and a smaller square (grid_sample); `pixels` are both, normalised.
`loss` is the weighted spherical loss towards `targets` with `weights`, `smoothness` the total variation, and `gradient`
the derivative of their sum with respect to the coefficients.
"""

import sys
from pathlib import Path

import reference
import safetensors.torch
import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[2]
SIDE, INPUT, DECAY, TV = 44, 28, 1.5, 10.0
BOX = (26.0, 19.0, 20.0)  # centre x, centre y, side
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def render(coefficients: torch.Tensor) -> torch.Tensor:
    down = torch.fft.fftfreq(SIDE, dtype=torch.float64)[:, None]
    across = torch.arange(SIDE // 2 + 1, dtype=torch.float64)[None] / SIDE
    scale = 1 / torch.clamp((down**2 + across**2).sqrt(), min=1 / SIDE) ** DECAY
    planes = torch.fft.irfft2(torch.complex(*(coefficients * scale)), s=(SIDE, SIDE), norm="ortho") / 4
    root = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], dtype=torch.float64)
    root = root / root.norm(dim=0).max()
    return torch.sigmoid(torch.einsum("rc,chw->rhw", root, planes))


def cutouts(image: torch.Tensor) -> torch.Tensor:
    whole = F.interpolate(image[None], (INPUT, INPUT), mode="bilinear", antialias=True)
    x, y, side = BOX
    steps = (torch.arange(INPUT, dtype=torch.float64) + 0.5) / INPUT - 0.5
    across = (x + side * steps) / SIDE * 2 - 1
    down = (y + side * steps) / SIDE * 2 - 1
    grid = torch.stack([across[None].expand(INPUT, -1), down[:, None].expand(-1, INPUT)], dim=-1)[None]
    part = F.grid_sample(image[None], grid, mode="bilinear", padding_mode="border", align_corners=False)
    pixels = torch.cat([whole, part])
    return (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def total_variation(image: torch.Tensor) -> torch.Tensor:
    differences = [image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]]
    return sum((d**2 + 1e-4).sqrt().sum() for d in differences) / image.numel()


def main() -> None:
    model, _ = reference.load(ROOT / "fixtures" / "tiny" / "plain")
    model = model.double()
    generator = torch.Generator().manual_seed(17)
    coefficients = 0.2 * torch.randn(2, 3, SIDE, SIDE // 2 + 1, generator=generator, dtype=torch.float64)
    coefficients = coefficients.float().double().requires_grad_()
    targets = F.normalize(torch.randn(2, 24, generator=generator, dtype=torch.float64), dim=-1).float().double()
    weights = torch.tensor([1.0, -0.3], dtype=torch.float64)
    image = render(coefficients)
    pixels = cutouts(image)
    images = F.normalize(model.encode_image(pixels), dim=-1)
    distances = (images[:, None] - targets[None]).norm(dim=-1)
    loss = ((distances / 2).arcsin() ** 2 * 2 * weights).sum(-1).mean()
    smoothness = TV * total_variation(image)
    (loss + smoothness).backward()
    found = {
        "coefficients": coefficients,
        "image": image,
        "pixels": pixels,
        "targets": targets,
        "weights": weights,
        "loss": loss,
        "smoothness": smoothness,
        "gradient": coefficients.grad,
    }
    out = ROOT / "fixtures" / "guide" / "golden.safetensors"
    out.parent.mkdir(exist_ok=True)
    metadata = {**reference.versions(), "command": " ".join(["python", *sys.argv])}
    tensors = {name: value.detach().float().contiguous() for name, value in found.items()}
    safetensors.torch.save_file(tensors, out, metadata)
    print({name: list(value.shape) for name, value in tensors.items()}, loss.item(), smoothness.item())


if __name__ == "__main__":
    main()
