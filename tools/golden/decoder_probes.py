"""Writes lib/node/images/decoder-probes.ts: small images with the checksums of Pillow's pixels.

    python tools/golden/decoder_probes.py lib/node/images/decoder-probes.ts
"""

import base64
import io
import sys
import textwrap
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

# Odd sizes and hard edges of colour: an inexact transform, upsampling or colour conversion changes some pixels.
SIZE = (23, 19)

HEAD = '''/**
 * Small images with the CRC-32 of their pixels in Pillow, for checking a decoder before it is used. Written by
 * tools/golden/decoder_probes.py.
 */
export interface DecoderProbe {
  readonly base64: string;
  /** Of the RGB samples. */
  readonly crc32: number;
}

export const decoderProbes: Readonly<Record<"jpeg" | "webp", DecoderProbe>> = {
'''


def probe(kind: str, **options) -> str:
    rng = np.random.default_rng(7)
    blocks = rng.integers(0, 256, (4, 5, 3)).astype(np.uint8).repeat(5, 0).repeat(5, 1)
    noise = rng.integers(0, 24, blocks.shape)
    image = Image.fromarray(np.clip(blocks + noise, 0, 255).astype(np.uint8)).crop((0, 0, *SIZE))
    file = io.BytesIO()
    image.save(file, kind, **options)
    pixels = np.asarray(Image.open(file).convert("RGB")).tobytes()
    lines = textwrap.wrap(base64.b64encode(file.getvalue()).decode(), 100)
    text = " +\n      ".join(f'"{line}"' for line in lines)
    return f"  {kind}: {{\n    base64:\n      {text},\n    crc32: {zlib.crc32(pixels)},\n  }},\n"


probes = [probe("jpeg", quality=60, subsampling="4:2:0"), probe("webp", quality=60, method=6)]
Path(sys.argv[1]).write_text(HEAD + "".join(probes) + "};\n")
