"""Writes fixtures/checkpoints: small checkpoints in every variant of torch.save.

    python tools/golden/checkpoints.py

`expected.safetensors` holds the expected value of every tensor under `FILE:NAME`, contiguous. `training*.pt` and
`exported.pt` hold the weights of fixtures/tiny/no-projection (BF16), which are not repeated there.
"""

import argparse
import io
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "fixtures" / "checkpoints"
MODEL = ROOT / "fixtures" / "tiny" / "no-projection"

expected: dict[str, torch.Tensor] = {}


def save(file: str, value, state: dict[str, torch.Tensor], **options) -> None:
    torch.save(value, OUT / file, **options)
    expect(file, state)


def expect(file: str, state: dict[str, torch.Tensor]) -> None:
    for name, tensor in state.items():
        expected[f"{file}:{name}"] = tensor.detach().clone().contiguous()


def dtypes() -> dict[str, torch.Tensor]:
    """Tensors of every safetensors dtype with their extreme values, a scalar and an empty tensor."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
        info = torch.finfo(dtype)
        values = [0.0, -0.0, 1.0, info.max, info.min, info.tiny, info.tiny / 2, float("inf"), float("-inf"), float("nan")]
        name = str(dtype).removeprefix("torch.")
        state[f"{name}.special"] = torch.tensor(values, dtype=torch.float64).to(dtype)
        state[f"{name}.random"] = torch.randn(3, 5, generator=generator, dtype=torch.float64).to(dtype)
    for dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64):
        info = torch.iinfo(dtype)
        state[str(dtype).removeprefix("torch.")] = torch.tensor([info.min, 0, 1, min(info.max, 2**63 - 1)], dtype=dtype)
    state["bool"] = torch.tensor([True, False, True])
    state["complex64"] = torch.tensor([1 + 2j, -3 - 4j], dtype=torch.complex64)
    state["float8_e4m3fn"] = torch.tensor([1.0, -2.0, 448.0]).to(torch.float8_e4m3fn)
    state["float8_e5m2"] = torch.tensor([1.0, -2.0, 57344.0]).to(torch.float8_e5m2)
    state["scalar"] = torch.tensor(2.5)
    state["empty"] = torch.empty(0, 4)
    return state


def views() -> dict[str, torch.Tensor]:
    """Tensors that are views: some are not contiguous, some share a storage."""
    base = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 3, 4, 5)
    matrix = torch.arange(35, dtype=torch.float32).reshape(5, 7)
    shared = torch.arange(24, dtype=torch.int64)
    parameter = torch.nn.Parameter(torch.arange(12, dtype=torch.float32).reshape(3, 4).t())
    return {
        "transposed": matrix.t(),
        "permuted": base.permute(3, 1, 0, 2),
        "channels_last": base.contiguous(memory_format=torch.channels_last),
        "every_other": matrix[::2, 1::3],
        "column": matrix[:, 2],
        "row": matrix[3],
        "rows": matrix[1:4],
        "expanded": torch.tensor([1.5, 2.5]).reshape(2, 1).expand(2, 6),
        "expanded_scalar": torch.tensor(7, dtype=torch.uint8).expand(3, 3),
        "shared.head": shared[:6],
        "shared.tail": shared[18:].reshape(2, 3),
        "tied": shared,
        "parameter": parameter,
        "wide": torch.arange(512 * 40, dtype=torch.uint8).reshape(512, 40).t()[1:40:13, 100:110],
    }


class Wrapper(torch.nn.Module):
    """A small module for a TorchScript archive."""

    def __init__(self) -> None:
        super().__init__()
        self.visual = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2)).half()
        self.logit_scale = torch.nn.Parameter(torch.tensor(4.5))
        self.register_buffer("context_length", torch.tensor(77))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.visual(x.half()) * self.logit_scale.exp()


def training(state: dict[str, torch.Tensor]) -> dict:
    """A checkpoint of open_clip's training, with entries that other training scripts add."""
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    return {
        "epoch": 3,
        "name": "run-1",
        "state_dict": OrderedDict((f"module.{name}", value) for name, value in state.items()),
        "optimizer": optimizer.state_dict(),
        "args": argparse.Namespace(lr=1e-3, model="ViT", path=Path("/data")),
        "best": np.float64(0.5),
        "random_state": np.random.RandomState(0).get_state(),
        "scores": {"a": [1, 2.5, None, True], "b": (b"bytes", {1, 2}, frozenset({3}), 2**70, -(2**40))},
    }


def big_endian(file: str, state: dict[str, torch.Tensor]) -> None:
    """The file that a big-endian machine would have written: with the bytes of every number reversed."""
    little = io.BytesIO()
    torch.save(state, little)
    # Storages are numbered in the order of the tensors.
    widths = [value.element_size() // (2 if value.is_complex() else 1) for value in state.values()]
    with zipfile.ZipFile(little) as reader, zipfile.ZipFile(OUT / file, "w", zipfile.ZIP_STORED) as writer:
        for name in reader.namelist():
            _, member = name.split("/", 1)
            data = reader.read(name)
            if member == "byteorder":
                data = b"big"
            elif member.startswith("data/"):
                data = swap(data, widths[int(member.removeprefix("data/"))])
            writer.writestr(zipfile.ZipInfo(name), data)
    for name, value in torch.load(OUT / file, weights_only=True).items():
        assert torch.equal(value, state[name]), f"PyTorch reads {name} of {file} differently"
    expect(file, state)


def swap(data: bytes, width: int) -> bytes:
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, width)[:, ::-1].tobytes()


def main() -> None:
    warnings.simplefilter("ignore")
    OUT.mkdir(parents=True, exist_ok=True)
    plain = dtypes()
    legacy = {name: value for name, value in plain.items() if not name.startswith(("float8", "uint16", "uint32", "uint64"))}

    save("dtypes.pt", plain, plain)
    save("dtypes-legacy.pt", legacy, legacy, _use_new_zipfile_serialization=False)
    save("views.pt", views(), views())
    save("views-legacy.pt", views(), views(), _use_new_zipfile_serialization=False)
    for protocol in (2, 3, 4, 5):
        few = {name: legacy[name] for name in ("float32.random", "float16.random", "int64", "scalar")}
        save(f"protocol-{protocol}.pt", OrderedDict(few), few, pickle_protocol=protocol)
        save(
            f"protocol-{protocol}-legacy.pt",
            OrderedDict(few),
            few,
            pickle_protocol=protocol,
            _use_new_zipfile_serialization=False,
        )

    model = {}
    for shard in sorted(MODEL.glob("*.safetensors")):
        if shard.name != "golden.safetensors":
            model |= safetensors.torch.load_file(shard)
    old = model | {"text.transformer.embeddings.position_ids": torch.arange(80).expand(1, -1)}
    torch.save(training(old), OUT / "training.pt")
    torch.save(training(old), OUT / "training-legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({f"model._orig_mod.{name}": value for name, value in model.items()}, OUT / "exported.pt")

    names = ("float32", "float16", "bfloat16", "float64")
    turned = {f"{name}.random": plain[f"{name}.random"] for name in names}
    turned |= {name: plain[name] for name in ("int64", "int32", "int16", "int8", "bool", "complex64")}
    big_endian("big-endian.pt", turned)

    script = torch.jit.script(Wrapper().eval())
    torch.jit.save(script, OUT / "torchscript.pt")
    expect("torchscript.pt", script.state_dict())

    safetensors.torch.save_file(expected, OUT / "expected.safetensors")


if __name__ == "__main__":
    main()
