"""Dropout whose masks clipscope computes too: PyTorch's own masks on the CPU come from a generator of MKL's."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def mix(bits: np.ndarray) -> np.ndarray:
    """The finaliser of MurmurHash3: 32 bits to 32 bits."""
    bits = bits ^ (bits >> np.uint32(16))
    bits = bits * np.uint32(0x85EBCA6B)
    bits = bits ^ (bits >> np.uint32(13))
    bits = bits * np.uint32(0xC2B2AE35)
    return bits ^ (bits >> np.uint32(16))


def name_hash(name: str) -> np.uint32:
    """FNV-1a of the name."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return np.uint32(value)


def mask(name: str, seed: int, draw: int, shape: tuple[int, ...], rate: float) -> torch.Tensor:
    """1 / (1 − rate) where a value is kept, else 0."""
    with np.errstate(over="ignore"):
        key = mix(np.array([name_hash(name)]) ^ mix(np.array([np.uint32(seed)]) + mix(np.array([np.uint32(draw)]))))
        counters = np.arange(int(np.prod(shape)), dtype=np.uint32) * np.uint32(0x9E3779B9)
        kept = mix(counters + key) >= np.uint32(round(rate * 2**32))
    return torch.from_numpy(kept.reshape(shape).astype(np.float32)) / (1 - rate)


@contextmanager
def given_dropout(model: torch.nn.Module, rate: float) -> Iterator[None]:
    """Replaces dropout in the text network by given masks. One draw for each pass through the network."""
    if rate == 0:
        yield
        return
    network = model.text.transformer
    network.set_attn_implementation("eager")  # so that the attention's dropout is a call of F.dropout
    names = ["text.transformer.embeddings"]
    for i in range(len(network.encoder.layer)):
        layer = f"text.transformer.encoder.layer.{i}"
        names += [f"{layer}.attention.self#probabilities", f"{layer}.attention.output.dense", f"{layer}.output.dense"]
    for module in model.text.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = rate
    calls = 0

    def dropout(value: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> torch.Tensor:
        nonlocal calls
        if not training or p == 0:
            return value
        draw, place = divmod(calls, len(names))
        calls += 1
        return value * mask(names[place], 0, draw, tuple(value.shape), p)

    original = torch.nn.functional.dropout
    torch.nn.functional.dropout = dropout
    try:
        yield
    finally:
        torch.nn.functional.dropout = original
