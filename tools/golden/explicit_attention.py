"""Attention whose probabilities can be seen and differentiated, in OpenCLIP's own towers.

torch computes attention in one fused function, which keeps no probabilities. Inside `explicit_attention`, that function
computes softmax(Q Kᵀ / √d + mask) V by its definition, and keeps the probabilities by the name of the calling module.
"""

import contextlib
from collections.abc import Iterator

import torch
from torch.nn import functional

ATTENTION = ("MultiheadAttention", "XLMRobertaSelfAttention", "XLMRobertaSdpaSelfAttention")


@contextlib.contextmanager
def explicit_attention(model: torch.nn.Module) -> Iterator[dict[str, torch.Tensor]]:
    """Yields the probabilities [B, heads, L, L] by `MODULE#probabilities`, filled by forward passes; with gradients."""
    probabilities: dict[str, torch.Tensor] = {}
    calling: list[str] = []

    def attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, **_):
        scores = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
        if is_causal:
            attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
        if attn_mask is not None and attn_mask.dtype == torch.bool:
            attn_mask = torch.zeros(attn_mask.shape).masked_fill(~attn_mask, -torch.inf)
        if attn_mask is not None:
            scores = scores + attn_mask
        found = scores.softmax(-1)
        if found.requires_grad:
            found.retain_grad()
        assert f"{calling[-1]}#probabilities" not in probabilities, f"{calling[-1]} ran twice"
        probabilities[f"{calling[-1]}#probabilities"] = found
        return found @ value

    def enter(name: str):
        return lambda *_: calling.append(name)

    modules = [(name, module) for name, module in model.named_modules() if type(module).__name__ in ATTENTION]
    assert modules, "the model has no attention of a known class"
    handles = [module.register_forward_pre_hook(enter(name)) for name, module in modules]
    fused = functional.scaled_dot_product_attention
    functional.scaled_dot_product_attention = attention
    try:
        yield probabilities
    finally:
        functional.scaled_dot_product_attention = fused
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def residual_streams(model: torch.nn.Module) -> Iterator[dict[str, torch.Tensor]]:
    """Yields the output [B, L, width] of each block by its name, filled by forward passes; with gradients."""
    streams: dict[str, torch.Tensor] = {}

    def see(name: str):
        def hook(_module, _inputs, output) -> None:
            streams[name] = output[0] if isinstance(output, tuple) else output
            if streams[name].requires_grad:
                streams[name].retain_grad()

        return hook

    blocks = ("ResidualAttentionBlock", "XLMRobertaLayer")
    modules = [(name, module) for name, module in model.named_modules() if type(module).__name__ in blocks]
    handles = [module.register_forward_hook(see(name)) for name, module in modules]
    try:
        yield streams
    finally:
        for handle in handles:
            handle.remove()
