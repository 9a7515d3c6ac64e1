"""Writes random images in random encodings for dist/tools/golden/compare-images.js.

    python tools/golden/image_fuzz.py --out DIR [--count 500] [--seed 0] [--kinds png jpg …] [--flips N]

--flips N changes up to N random bytes of each file. Files that Pillow still reads should give the same pixels.
"""

import argparse
import struct
from pathlib import Path

import image_cases
import numpy as np
from image_files import bmp, png, random_pixels, save, tiff
from PIL import Image


def random_png(rng, width, height) -> bytes:
    colour_type = [0, 2, 3, 4, 6][rng.integers(5)]
    depth = int(rng.choice({0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}[colour_type]))
    palette = trns = None
    if colour_type == 3:
        colours = int(rng.integers(1, 2**depth + 1))
        palette = rng.integers(0, 256, colours * 3).astype(np.uint8).tobytes()
        if rng.integers(2):
            trns = rng.integers(0, 256, int(rng.integers(1, colours + 1))).astype(np.uint8).tobytes()
    elif colour_type == 0 and rng.integers(3) == 0:
        trns = struct.pack(">H", int(rng.integers(2**depth)))
    elif colour_type == 2 and rng.integers(3) == 0:
        trns = struct.pack(">HHH", *(int(v) for v in rng.integers(0, 256, 3)))
    return png(rng, width, height, depth, colour_type, bool(rng.integers(2)), palette, trns, int(rng.integers(1, 4)))


def random_jpeg(rng, width, height) -> bytes:
    bands = int(rng.choice([1, 3, 3, 3]))
    array = random_pixels(rng, width, height, bands)
    image = Image.fromarray(array[..., 0] if bands == 1 else array)
    options = {"quality": int(rng.integers(1, 101)), "progressive": bool(rng.integers(2))}
    options["optimize"] = bool(rng.integers(2))
    if bands == 3:
        options["subsampling"] = str(rng.choice(["4:4:4", "4:2:2", "4:2:0"]))
        if rng.integers(8) == 0:
            options = {"quality": options["quality"], "keep_rgb": True}
    if rng.integers(3) == 0:
        options["restart_marker_blocks"] = int(rng.integers(1, 9))
    if rng.integers(3) == 0:
        exif = Image.Exif()
        exif[274] = int(rng.integers(1, 9))
        options["exif"] = exif
    return save(image, "JPEG", **options)


def random_cmyk_jpeg(rng, width, height) -> bytes:
    image = Image.fromarray(random_pixels(rng, width, height, 4), "CMYK")
    options = {"quality": int(rng.integers(1, 101)), "progressive": bool(rng.integers(2))}
    if rng.integers(2):
        options["subsampling"] = str(rng.choice(["4:4:4", "4:2:2", "4:2:0"]))
    if rng.integers(3) == 0:
        options["restart_marker_blocks"] = int(rng.integers(1, 9))
    data = save(image, "JPEG", **options)
    # The same data marked as YCCK by the transform byte of the Adobe marker.
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\2" + data[at + 1 :] if rng.integers(2) else data


def random_webp(rng, width, height) -> bytes:
    bands = int(rng.choice([3, 4]))
    image = Image.fromarray(random_pixels(rng, width, height, bands))
    options = {"quality": int(rng.integers(1, 101)), "lossless": bool(rng.integers(2)), "method": 2}
    options["exact"] = bool(rng.integers(2))
    if rng.integers(4) == 0:
        second = Image.fromarray(random_pixels(rng, width, height, bands))
        options |= {"save_all": True, "append_images": [second], "duration": 50}
    return save(image, "WEBP", **options)


def random_gif(rng, width, height) -> bytes:
    kind = rng.integers(3)
    array = random_pixels(rng, width, height, 3)
    if kind == 0:
        image = Image.fromarray(array[..., 0])
    else:
        image = Image.fromarray(array).quantize(int(rng.integers(2, 257)))
    options = {"interlace": int(rng.integers(2)), "optimize": bool(rng.integers(2))}
    if rng.integers(2):
        options["transparency"] = int(rng.integers(0, 4))
    if rng.integers(3) == 0:
        options |= {"save_all": True, "append_images": [Image.fromarray(random_pixels(rng, width, height, 3))]}
    return save(image, "GIF", **options)


def random_layout(rng, width, height) -> bytes:
    """TIFF layouts that Pillow does not write."""
    photometric, bands, bits, extra = [
        (0, 1, 1, ()),
        (1, 1, 1, ()),
        (0, 1, 2, ()),
        (1, 1, 4, ()),
        (0, 1, 8, ()),
        (1, 1, 8, ()),
        (1, 1, 16, ()),
        (1, 2, 8, (2,)),
        (2, 3, 8, ()),
        (2, 3, 16, ()),
        (2, 4, 8, (0,)),
        (2, 4, 8, (1,)),
        (2, 4, 8, (2,)),
        (2, 4, 16, (2,)),
        (2, 5, 8, (2, 0)),
        (5, 4, 8, ()),
        (5, 4, 16, ()),
        (3, 1, 4, ()),
        (3, 1, 8, ()),
    ][rng.integers(19)]
    samples = random_pixels(rng, width, height, bands).astype(np.int64)
    samples = samples * 257 if bits == 16 else samples >> (8 - bits)
    tags = {}
    if photometric == 3:
        tags[320] = tuple(int(v) for v in rng.integers(0, 65536, 3 * 2**bits))
    if rng.integers(4) == 0:
        tags[274] = (int(rng.integers(1, 9)),)
    compressed = bool(rng.integers(2))
    fill_order = 2 if rng.integers(5) == 0 else 1
    return tiff(
        samples,
        photometric,
        bits=bits,
        extra=extra,
        tags=tags,
        big_endian=bool(rng.integers(2)),
        compression=8 if compressed else 1,
        predictor=2 if compressed and bits >= 8 and photometric != 3 and rng.integers(2) else 1,
        tile=(16, 32) if rng.integers(3) == 0 else None,
        # Pillow misreads separate planes of gray with alpha, and uncompressed ones of 16 bits or reversed fill order.
        planar=bands > 2 and (compressed or bits + fill_order == 9) and bool(rng.integers(3) == 0),
        fill_order=fill_order,
    )


def random_tiff(rng, width, height) -> bytes:
    mode = str(rng.choice(["1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "I;16", "I;16B", "I", "F"]))
    if mode in ("I;16", "I;16B"):
        values = (random_pixels(rng, width, height, 1)[..., 0].astype(np.uint16) * 257) >> int(rng.integers(0, 9))
        image = Image.frombytes(mode, (width, height), values.astype("<u2" if mode == "I;16" else ">u2").tobytes())
    elif mode == "I":
        image = Image.fromarray(random_pixels(rng, width, height, 1)[..., 0].astype(np.int32) * 3 - 200)
    elif mode == "F":
        image = Image.fromarray(random_pixels(rng, width, height, 1)[..., 0].astype(np.float32) * 1.37 - 40)
    elif mode == "P":
        image = Image.fromarray(random_pixels(rng, width, height, 3)).quantize(int(rng.integers(2, 257)))
    elif mode == "1":
        image = Image.fromarray(random_pixels(rng, width, height, 1)[..., 0]).convert("1")
    else:
        bands = len(Image.new(mode, (1, 1)).getbands())
        image = Image.frombytes(mode, (width, height), random_pixels(rng, width, height, bands).tobytes())
    options = {}
    compression = str(rng.choice(["raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg"]))
    if compression == "jpeg":
        if mode not in ("L", "RGB"):
            compression = "raw"
        else:
            options["quality"] = int(rng.integers(10, 101))
    if compression != "raw":
        options["compression"] = compression
    tags = {}
    differing = compression in ("tiff_lzw", "tiff_adobe_deflate") and mode in ("L", "LA", "RGB", "RGBA", "CMYK", "I;16")
    if differing and rng.integers(2):
        tags[317] = 2
    if rng.integers(2):
        tags[278] = int(rng.integers(1, height + 1))
        if compression == "jpeg":
            tags[278] = max(8, tags[278] // 16 * 16)
    if rng.integers(3) == 0:
        tags[274] = int(rng.integers(1, 9))
    options["tiffinfo"] = tags
    return save(image, "TIFF", **options)


def random_bmp(rng, width, height) -> bytes:
    mode = str(rng.choice(["1", "L", "P", "RGB", "RGBA", "16"]))
    array = random_pixels(rng, width, height, 4)
    if mode == "16":
        stored = rng.integers(0, 65536, (height, (width + 1) // 2 * 2)).astype("<u2").tobytes()
        masks = [(), (0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F)][rng.integers(3)]
        return bmp(width, height, 16, stored, compression=3 if masks else 0, masks=masks)
    if mode == "P":
        image = Image.fromarray(array[..., :3]).quantize(int(rng.integers(2, 257)))
    elif mode == "RGBA":
        image = Image.fromarray(array)
    else:
        image = Image.fromarray(array[..., :3]).convert(mode)
    data = save(image, "BMP")
    if rng.integers(3) == 0:
        # A negative height means rows from the top.
        data = data[:22] + struct.pack("<i", -height) + data[26:]
    return data


KINDS = {
    "png": random_png,
    "jpg": random_jpeg,
    "cmyk.jpg": random_cmyk_jpeg,
    "webp": random_webp,
    "gif": random_gif,
    "tif": random_tiff,
    "layout.tif": random_layout,
    "bmp": random_bmp,
}


def random_transform(rng) -> dict:
    size = int(rng.choice([16, 24, 31, 32]))
    transform = {"size": size}
    if rng.integers(3) == 0:
        transform["interpolation"] = "bilinear"
    mode = rng.integers(4)
    if mode > 1:
        transform["resize_mode"] = ["squash", "longest"][mode - 2]
        transform["fill_color"] = int(rng.integers(0, 256))
    return transform


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--flips", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    cases = image_cases.Cases(args.out)
    for i in range(args.count):
        kind = args.kinds[i % len(args.kinds)]
        width, height = (int(v) for v in rng.integers(1, 90, 2))
        # Images too narrow for "longest" are tested by another spec.
        transforms = [random_transform(rng)] + ([{"size": 32}] if rng.integers(2) else [])
        if max(width, height) > 30 * min(width, height):
            transforms = [{"size": 32}]
        try:
            data = KINDS[kind](rng, width, height)
        except Exception as error:
            print("not made:", kind, error)
            continue
        data = bytearray(data)
        for _ in range(int(rng.integers(args.flips + 1))):
            data[rng.integers(len(data))] = rng.integers(256)
        data = bytes(data)
        cases.add(f"{i:05}.{kind}", data, transforms)
    cases.write()


main()
