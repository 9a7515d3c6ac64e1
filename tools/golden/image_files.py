"""Encoders for image files that Pillow reads but does not write, and random content for them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def save(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def random_pixels(rng: np.random.Generator, width: int, height: int, bands: int) -> np.ndarray:
    """Noise, gradients, hard edges, or a mixture."""
    kind = rng.integers(4)
    noise = rng.integers(0, 256, (height, width, bands))
    y, x = np.mgrid[0:height, 0:width]
    phase = rng.random((3, bands)) * 7
    smooth = 127 + 127 * np.sin(x[..., None] * phase[0] / 20 + y[..., None] * phase[1] / 20 + phase[2])
    blocks = np.kron(rng.integers(0, 2, ((height + 6) // 7, (width + 6) // 7, bands)), np.ones((7, 7, 1)))
    edges = blocks[:height, :width] * 255
    array = [noise, smooth, edges, 0.5 * smooth + 0.3 * edges + 0.2 * noise][kind]
    return np.clip(array, 0, 255).astype(np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def png(
    rng, width, height, depth, colour_type, interlaced=False, palette=None, trns=None, parts=1, samples=None
) -> bytes:
    """A PNG file of any colour type and depth, with random filters."""
    channels = CHANNELS[colour_type]
    top = 256 if palette is None else len(palette) // 3
    if samples is None:
        samples = random_pixels(rng, width, height, channels).astype(np.uint16)
        if depth == 16:
            samples = samples * 257 ^ rng.integers(0, 256, samples.shape).astype(np.uint16)
            if rng.integers(3) == 0:
                samples = samples >> 8
        elif depth < 8:
            samples = samples >> (8 - depth)
        if palette is not None:
            samples = np.minimum(samples, top - 1)
    raw = b""
    for left, start, step_x, step_y in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[start::step_y, left::step_x]
        if part.size == 0:
            continue
        rows = part.shape[0]
        if depth == 16:
            packed = part.astype(">u2").reshape(rows, -1).view(np.uint8)
        elif depth == 8:
            packed = part.astype(np.uint8).reshape(rows, -1)
        else:
            bits = (part.reshape(rows, -1)[..., None] >> np.arange(depth - 1, -1, -1)) & 1
            packed = np.packbits(bits.reshape(rows, -1).astype(np.uint8), axis=1)
        packed = packed.astype(np.int64)
        pixel = max(channels * depth // 8, 1)
        above = np.zeros_like(packed[0])
        for row in packed:
            left_ = np.concatenate([np.zeros(pixel, np.int64), row[:-pixel]])[: len(row)]
            corner = np.concatenate([np.zeros(pixel, np.int64), above[:-pixel]])[: len(row)]
            kind = int(rng.integers(5))
            if kind == 4:
                p = left_ + above - corner
                pa, pb, pc = abs(p - left_), abs(p - above), abs(p - corner)
                predicted = np.where((pa <= pb) & (pa <= pc), left_, np.where(pb <= pc, above, corner))
            else:
                predicted = [0, left_, above, (left_ + above) >> 1][kind]
            raw += bytes([kind]) + ((row - predicted) & 255).astype(np.uint8).tobytes()
            above = row
    data = zlib.compress(raw)
    cuts = sorted(rng.integers(0, len(data) + 1, parts - 1).tolist())
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]
    out = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    )
    if palette is not None:
        out += chunk(b"PLTE", palette)
    if trns is not None:
        out += chunk(b"tRNS", trns)
    return out + b"".join(chunk(b"IDAT", piece) for piece in pieces) + chunk(b"IEND", b"")


def tiff(
    samples: np.ndarray,
    photometric: int,
    *,
    bits: int = 8,
    big_endian: bool = False,
    compression: int = 1,
    predictor: int = 1,
    tile: tuple[int, int] | None = None,
    planar: bool = False,
    fill_order: int = 1,
    extra: tuple[int, ...] = (),
    tags: dict[int, tuple[int, ...]] | None = None,
) -> bytes:
    """A TIFF file of any layout, [height, width, bands]; tile is (width, height). Compression: 1, 8 (deflate)."""
    height, width, bands = samples.shape
    order = ">" if big_endian else "<"
    tile_width, tile_height = tile or (width, height)

    def encode(part: np.ndarray) -> bytes:
        if predictor == 2:
            part = np.concatenate([part[:, :1], part[:, 1:].astype(np.int64) - part[:, :-1]], axis=1)
        part = part.astype(np.int64) & ((1 << bits) - 1)
        rows = part.shape[0]
        if bits < 8:
            packed = (part.reshape(rows, -1)[..., None] >> np.arange(bits - 1, -1, -1)) & 1
            data = np.packbits(packed.reshape(rows, -1).astype(np.uint8), axis=1)
        else:
            data = part.astype(f"{order}u{bits // 8}")
        if fill_order == 2:
            values = np.unpackbits(data.view(np.uint8).reshape(rows, -1, 1), axis=2)
            data = np.packbits(values, axis=2, bitorder="little")
        return zlib.compress(data.tobytes()) if compression == 8 else data.tobytes()

    planes = [samples[..., i : i + 1] for i in range(bands)] if planar else [samples]
    parts = []
    for plane in planes:
        for top in range(0, height, tile_height):
            for left in range(0, width, tile_width):
                part = plane[top : top + tile_height, left : left + tile_width]
                if tile:
                    padding = (0, tile_height - part.shape[0]), (0, tile_width - part.shape[1]), (0, 0)
                    part = np.pad(part, padding, mode="edge")
                parts.append(encode(part))
    offsets = [8 + sum(map(len, parts[:i])) for i in range(len(parts))]
    all_tags = {
        256: (width,),
        257: (height,),
        258: (bits,) * bands,
        259: (compression,),
        262: (photometric,),
        266: (fill_order,),
        277: (bands,),
        284: (2 if planar else 1,),
        317: (predictor,),
    }
    if tile:
        all_tags |= {322: (tile_width,), 323: (tile_height,), 324: tuple(offsets), 325: tuple(map(len, parts))}
    else:
        all_tags |= {273: tuple(offsets), 278: (height,), 279: tuple(map(len, parts))}
    if extra:
        all_tags[338] = extra
    all_tags |= tags or {}
    data = b"".join(parts)
    start = 8 + len(data)
    behind = start + 2 + 12 * len(all_tags) + 4
    directory = struct.pack(f"{order}H", len(all_tags))
    values = b""
    for tag, numbers in sorted(all_tags.items()):
        kind, size, code = (4, 4, "I") if tag in (273, 279, 324, 325) else (3, 2, "H")
        packed = struct.pack(f"{order}{len(numbers)}{code}", *numbers)
        if len(packed) <= 4:
            place = packed.ljust(4, b"\0")
        else:
            place = struct.pack(f"{order}I", behind + len(values))
            values += packed
        directory += struct.pack(f"{order}HHI", tag, kind, len(numbers)) + place
    head = b"MM" if big_endian else b"II"
    return head + struct.pack(f"{order}HI", 42, start) + data + directory + bytes(4) + values


def bmp(
    width: int,
    height: int,
    bits: int,
    data: bytes,
    *,
    compression: int = 0,
    palette: bytes = b"",
    masks: tuple[int, ...] = (),
    header: int = 40,
) -> bytes:
    """A BMP file. A negative height means rows from the top; the palette has 4 bytes per colour (3 for header 12)."""
    colours = len(palette) // (3 if header == 12 else 4)
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        head = struct.pack("<IiiHHIIIIII", header, width, height, 1, bits, compression, len(data), 0, 0, colours, 0)
    behind = b"".join(struct.pack("<I", mask) for mask in masks)
    head = (head + behind).ljust(header, b"\0")
    at = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(data), 0, 0, at) + head + palette + data
