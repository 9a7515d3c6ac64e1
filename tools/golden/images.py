"""Writes fixtures/images: small images in many encodings, with the results of Pillow and open_clip.

    python tools/golden/images.py
"""

import struct
from pathlib import Path

import image_cases
import numpy as np
from image_files import bmp, chunk, png, random_pixels, save, tiff
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "images"

rng = np.random.default_rng(20)
cases = image_cases.Cases(FOLDER)

# Transforms for each encoding: the usual one at a small size, and one for which alpha and palettes matter more.
USUAL = [{"size": 32}]
PADDED = [{"size": 32}, {"size": 24, "resize_mode": "longest", "fill_color": 200, "interpolation": "bilinear"}]


def scene(width: int, height: int, bands: int) -> np.ndarray:
    """Gradients, hard edges and noise, each in a third of the image: [height, width, bands]."""
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([127 + 120 * np.sin(x / (9 + 3 * b) + y / (7 + b) + b) for b in range(bands)], -1)
    edges = np.stack([((x // (3 + b) + y // 5) % 2) * 255 for b in range(bands)], -1)
    noise = rng.integers(0, 256, (height, width, bands))
    third = (3 * y // height)[..., None]
    return np.choose(third, [smooth, edges, noise]).astype(np.uint8)


def photo(width: int, height: int) -> Image.Image:
    return Image.fromarray(scene(width, height, 3))


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[274] = orientation
    return tags


def palette(colours: int) -> bytes:
    return rng.integers(0, 256, colours * 3).astype(np.uint8).tobytes()


def pngs() -> None:
    def add(name: str, *args, **options) -> None:
        cases.add(f"png-{name}.png", png(rng, 45, 37, *args, **options), PADDED)

    for depth in (1, 2, 4, 8, 16):
        add(f"gray{depth}", depth, 0)
    # 16-bit gray mostly below 256, which Pillow does not clip.
    low = rng.integers(0, 400, (37, 45, 1)).astype(np.uint16)
    add("gray16-dark", 16, 0, samples=low)
    add("gray8-transparent", 8, 0, trns=struct.pack(">H", 255))
    add("rgb8", 8, 2)
    add("rgb8-transparent", 8, 2, trns=struct.pack(">HHH", 0, 0, 255))
    add("rgb16", 16, 2)
    for depth in (1, 2, 4, 8):
        add(f"palette{depth}", depth, 3, palette=palette(2**depth))
    add("palette8-alpha", 8, 3, palette=palette(256), trns=rng.integers(0, 256, 256).astype(np.uint8).tobytes())
    add("palette8-one-transparent", 8, 3, palette=palette(200), trns=b"\xff\xff\0")
    add("palette-short", 8, 3, samples=rng.integers(0, 256, (37, 45, 1)).astype(np.uint16), palette=palette(100))
    add("gray-alpha8", 8, 4)
    add("gray-alpha16", 16, 4)
    add("rgba8", 8, 6)
    add("rgba16", 16, 6)
    add("interlaced-rgb8", 8, 2, interlaced=True)
    add("interlaced-palette2", 2, 3, interlaced=True, palette=palette(4))
    add("interlaced-gray1", 1, 0, interlaced=True)
    add("interlaced-rgba16", 16, 6, interlaced=True)
    add("parts", 8, 2, parts=5)
    tiny = png(rng, 3, 2, 8, 2, interlaced=True)
    cases.add("png-interlaced-tiny.png", tiny, USUAL)
    upright = png(rng, 45, 37, 8, 2)
    block = exif(6).tobytes().removeprefix(b"Exif\0\0")
    cases.add("png-orientation.png", upright[:33] + chunk(b"eXIf", block) + upright[33:], USUAL)
    # Pillow accepts an image without its end marker.
    cases.add("png-without-end.png", upright[:-12], USUAL)
    animated = save(photo(30, 20), "PNG", save_all=True, append_images=[photo(30, 20)])
    cases.add("png-animated.png", animated, USUAL)
    # If the image already has the target size, alpha is not premultiplied and divided.
    cases.add("png-rgba-at-size.png", png(rng, 32, 32, 8, 6), USUAL)


def jpegs() -> None:
    def add(name: str, image: Image.Image, **options) -> None:
        cases.add(f"jpeg-{name}.jpg", save(image, "JPEG", **options), USUAL)

    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        name = sampling.replace(":", "")
        add(name, photo(67, 45), subsampling=sampling, quality=85)
        add(f"{name}-progressive", photo(67, 45), subsampling=sampling, progressive=True, quality=60)
    add("low-quality", photo(67, 45), quality=5)
    add("gray", photo(67, 45).convert("L"))
    add("gray-progressive", photo(67, 45).convert("L"), progressive=True)
    add("rgb", photo(67, 45), keep_rgb=True)
    add("restart", photo(67, 45), restart_marker_blocks=3)
    add("optimized", photo(67, 45), optimize=True)
    add("narrow-420", photo(3, 40), subsampling="4:2:0")
    for orientation in (3, 6):
        add(f"orientation{orientation}", photo(40, 24), exif=exif(orientation))
    # Samplings that Pillow does not write. At 64 x 64 the number of blocks is the same, only their places change.
    for name, sampling, factors in (("440", "4:2:2", 0x12), ("411", "4:2:0", 0x41)):
        cases.add(f"jpeg-{name}.jpg", resampled(photo(64, 64), sampling, factors), USUAL)
    inks = Image.fromarray(scene(64, 64, 4), "CMYK")
    cases.add("jpeg-cmyk-440.jpg", resampled(inks, "4:2:2", 0x12), USUAL)
    inks = Image.fromarray(scene(67, 45, 4), "CMYK")
    add("cmyk", inks)
    add("cmyk-422", inks, subsampling="4:2:2")
    add("cmyk-420-progressive", inks, subsampling="4:2:0", progressive=True)
    add("cmyk-restart", inks, restart_marker_blocks=2)
    # Photoshop's YCCK: the same data with a different transform in the Adobe marker.
    for name, options in {"ycck": {}, "ycck-420-progressive": {"subsampling": "4:2:0", "progressive": True}}.items():
        data = save(inks, "JPEG", **options)
        at = data.index(b"Adobe") + 11
        cases.add(f"jpeg-{name}.jpg", data[:at] + b"\2" + data[at + 1 :], USUAL)


def resampled(image: Image.Image, sampling: str, factors: int) -> bytes:
    """A JPEG with the sampling factors of its first component changed."""
    data = bytearray(save(image, "JPEG", subsampling=sampling))
    frame = data.index(b"\xff\xc0")
    data[frame + 11] = factors
    return bytes(data)


def webps() -> None:
    def add(name: str, image: Image.Image, **options) -> None:
        cases.add(f"webp-{name}.webp", save(image, "WEBP", **options), USUAL)

    rgba = Image.fromarray(scene(61, 43, 4))
    add("lossy", photo(61, 43), quality=70)
    add("lossless", photo(61, 43), lossless=True)
    add("lossy-alpha", rgba, quality=70)
    add("lossless-alpha", rgba, lossless=True)
    add("lossless-alpha-exact", rgba, lossless=True, exact=True)
    add("orientation", photo(61, 43), exif=exif(6))
    add("animated", photo(31, 23), save_all=True, append_images=[photo(31, 23)], duration=40)
    add("animated-alpha", rgba, save_all=True, append_images=[Image.fromarray(scene(61, 43, 4))], lossless=True)
    # The same animation with its first frame moved, on a larger canvas.
    data = bytearray(save(photo(31, 23), "WEBP", save_all=True, append_images=[photo(31, 23)], duration=40))
    data[24:30] = struct.pack("<I", 39)[:3] + struct.pack("<I", 29)[:3]
    at = data.index(b"ANMF") + 8
    data[at : at + 6] = struct.pack("<I", 2)[:3] + struct.pack("<I", 3)[:3]
    cases.add("webp-animated-offset.webp", bytes(data), USUAL)


def gifs() -> None:
    def add(name: str, image: Image.Image, **options) -> bytes:
        data = save(image, "GIF", **options)
        cases.add(f"gif-{name}.gif", data, PADDED)
        return data

    paletted = photo(53, 41).quantize(200)
    add("palette", paletted)
    add("two-colours", photo(53, 41).quantize(2))
    add("interlaced", paletted, interlace=1)
    # Pillow reads a palette of all grays as gray, so this image is resized smoothly.
    add("gray", Image.fromarray(scene(53, 41, 1)[..., 0]), optimize=False)
    add("transparent", paletted, transparency=5)
    add("gray-transparent", Image.fromarray(scene(53, 41, 1)[..., 0]), transparency=9, optimize=False)
    data = add("animated", paletted, save_all=True, append_images=[photo(53, 41)])
    # A screen larger than the first frame, and one smaller than it.
    for name, size in {"larger-screen": (60, 50), "smaller-screen": (20, 50)}.items():
        cases.add(f"gif-{name}.gif", data[:6] + struct.pack("<HH", *size) + data[10:], USUAL)
    data = add("transparent-larger", paletted, transparency=5)
    at = data.index(b"\x2c\0\0\0\0") + 1
    moved = data[:6] + struct.pack("<HH", 70, 60) + data[10:at] + struct.pack("<HH", 9, 4) + data[at + 4 :]
    cases.add("gif-transparent-screen.gif", moved, PADDED)


def tiffs() -> None:
    rgb = scene(49, 35, 3)
    gray = rgb[..., :1]
    rgba = scene(49, 35, 4)

    def add(name: str, data: bytes) -> None:
        cases.add(f"tiff-{name}.tif", data, USUAL)

    def saved(name: str, image: Image.Image, compression: str | None = None, **tags) -> None:
        options = {"compression": compression} if compression else {}
        add(name, save(image, "TIFF", tiffinfo={int(k[1:]): v for k, v in tags.items()}, **options))

    image = Image.fromarray(rgb)
    saved("rgb", image)
    saved("lzw", image, "tiff_lzw")
    saved("lzw-predictor", image, "tiff_lzw", t317=2)
    saved("deflate-strips", image, "tiff_adobe_deflate", t278=7)
    saved("packbits", image, "packbits")
    saved("jpeg", image, "jpeg")
    saved("jpeg-strips", image, "jpeg", t278=16)
    saved("jpeg-gray", image.convert("L"), "jpeg")
    saved("bilevel", image.convert("1"))
    saved("palette", image.quantize(99), "tiff_lzw")
    saved("cmyk", Image.fromarray(rgba, "CMYK"), "tiff_lzw")
    saved("gray-alpha", Image.fromarray(rgba).convert("LA"))
    for orientation in (2, 6, 7):
        saved(f"orientation{orientation}", image, t274=orientation)
    add("float", save(Image.fromarray(gray[..., 0].astype(np.float32) * 1.4 - 40), "TIFF"))
    add("int32", save(Image.fromarray(gray[..., 0].astype(np.int32) * 2 - 90), "TIFF"))
    add("white-is-zero", tiff(gray, 0))
    add("white-is-zero1", tiff(gray >> 7, 0, bits=1))
    add("gray4-reversed", tiff(gray >> 4, 1, bits=4, fill_order=2))
    wide = gray.astype(np.int64) * 257
    dark = gray.astype(np.int64) * 3 // 2
    add("gray16", tiff(wide, 1, bits=16))
    add("gray16-predictor", tiff(wide, 1, bits=16, compression=8, predictor=2))
    add("gray16-dark", tiff(dark, 1, bits=16))
    # Pillow resamples big-endian 16-bit gray with swapped bytes.
    add("gray16-big-endian", tiff(dark, 1, bits=16, big_endian=True))
    add("rgb16-big-endian", tiff(rgb.astype(np.int64) * 257, 2, bits=16, big_endian=True))
    add("tiled", tiff(rgb, 2, tile=(16, 32), compression=8))
    add("planes", tiff(rgb, 2, planar=True))
    add("planes-tiled", tiff(rgb, 2, planar=True, tile=(32, 16), compression=8))
    add("rgba", tiff(rgba, 2, extra=(2,)))
    add("rgba-premultiplied", tiff(rgba, 2, extra=(1,)))
    add("rgbx", tiff(rgba, 2, extra=(0,)))


def bmps() -> None:
    rgb = scene(43, 29, 3)
    image = Image.fromarray(rgb)

    def add(name: str, data: bytes) -> None:
        cases.add(f"bmp-{name}.bmp", data, USUAL)

    def rows(values: np.ndarray) -> bytes:
        """Rows of bytes, each padded to a multiple of four bytes."""
        values = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1)
        return np.pad(values, ((0, 0), (0, -values.shape[1] % 4))).tobytes()

    for mode in ("1", "L", "RGB"):
        add({"1": "bilevel", "L": "gray", "RGB": "rgb"}[mode], save(image.convert(mode), "BMP"))
    add("palette8", save(image.quantize(77), "BMP"))
    add("rgba", save(Image.fromarray(scene(43, 29, 4)), "BMP"))
    four = rng.integers(0, 256, (29, 22)).astype(np.uint8)
    colours = rng.integers(0, 256, 64).astype(np.uint8).tobytes()
    add("palette4", bmp(43, 29, 4, rows(four), palette=colours))
    one = rng.integers(0, 256, (29, 6)).astype(np.uint8)
    add("palette1", bmp(43, 29, 1, rows(one), palette=colours[:8]))
    add("top-down", bmp(43, -29, 24, rows(rgb)))
    add("core-header", bmp(43, 29, 8, rows(rgb[..., 0] >> 4), palette=colours[:48] + bytes(720), header=12))
    sixteen = rng.integers(0, 65536, (29, 43)).astype("<u2")
    add("rgb555", bmp(43, 29, 16, rows(sixteen)))
    add("rgb565", bmp(43, 29, 16, rows(sixteen), compression=3, masks=(0xF800, 0x7E0, 0x1F)))
    rgba = scene(43, 29, 4)
    add("rgb32", bmp(43, 29, 32, rows(rgba)))
    add("rgba32", bmp(43, 29, 32, rows(rgba), compression=3, header=56, masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000)))
    add("xbgr32", bmp(43, 29, 32, rows(rgba), compression=3, header=56, masks=(0xFF000000, 0xFF0000, 0xFF00, 0)))
    # Runs, literals, a jump, and the ends of lines and of the image.
    eight = b"".join(bytes([20, i, 0, 5, 1, 2, 3, 4, i, 0, 10, i + 9, 0, 0]) for i in range(28))
    eight += bytes([7, 1, 0, 2, 30, 0, 6, 77, 0, 1])
    add("rle8", bmp(43, 29, 8, eight, compression=1, palette=palette_of(256)))
    half = b"".join(bytes([21, 16 * (i % 16) + 5, 0, 8, 0x12, 0x34, 0x56, 0x78, 9, 0xAB, 0, 0]) for i in range(29))
    add("rle4", bmp(43, 29, 4, half, compression=2, palette=colours))


def palette_of(colours: int) -> bytes:
    """A BMP palette: four bytes per colour."""
    return rng.integers(0, 256, colours * 4).astype(np.uint8).tobytes()


def sizes() -> None:
    """Sizes at which the rounding of resize and crop matters, in a lossless encoding."""

    def add(width: int, height: int, transforms: list[dict]) -> None:
        cases.add(f"size-{width}x{height}.png", save(photo(width, height), "PNG", optimize=True), transforms, False)

    modes = [
        {"interpolation": interpolation, "resize_mode": mode, "fill_color": 77}
        for mode in ("shortest", "longest", "squash")
        for interpolation in ("bicubic", "bilinear")
    ]
    add(90, 61, [{"size": 32} | mode for mode in modes])
    add(61, 90, [{"size": 33} | mode for mode in modes])
    # Oblong inputs: [height, width]. "shortest" rounds both edges, and ignores the config's interpolation: it is bicubic.
    add(70, 50, [{"size": size} | mode for size in ([24, 40], [40, 24]) for mode in modes])
    add(64, 48, [{"size": 224}])
    add(300, 224, [{"size": 224}])
    add(224, 231, [{"size": 224}])
    add(20, 13, [{"size": 64}, {"size": 64, "interpolation": "bilinear"}])
    add(1, 37, [{"size": 16}])
    add(37, 1, [{"size": 16}])
    add(1, 1, [{"size": 16}])
    add(700, 5, [{"size": 24}])
    # More than a hundred times as high as wide: Pillow then resizes vertically first.
    add(3, 401, [{"size": 2, "resize_mode": mode} for mode in ("shortest", "squash")])
    add(2, 201, [{"size": 24, "resize_mode": mode} for mode in ("shortest", "squash")])
    # A centre of half a pixel, rounded to the even offset: 1.5 to 2, 2.5 to 2, 3.5 to 4.
    for width in (35, 37, 39):
        add(width, 32, [{"size": 32}])
        add(32, width, [{"size": 32}])


pngs()
jpegs()
webps()
gifs()
tiffs()
bmps()
sizes()
refused = [case["file"] for case in cases.cases if "refused" in case]
assert not refused, refused
cases.write()
