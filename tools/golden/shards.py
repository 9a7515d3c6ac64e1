"""Writes the WebDataset shards of the specs: fixtures/shards/*.tar.

    python tools/golden/shards.py fixtures/shards

The shards have the format of webdataset's TarWriter (a stream from Python's tarfile, classes as decimal numbers) and
contain cases found in published shards. `numbers-000.tar` and `numbers-001.tar`: `.cls` numbers; JPEG, PNG and WebP;
members that are neither image nor class; folders in keys; a key too long for a tar header (PAX's long names in the first
shard, GNU's in the second); meta files. `names.tar`: names in `.txt`, several dots in a member's name, upper case, a
sample without an image and one without a class.
"""

import io
import sys
import tarfile
from pathlib import Path

from PIL import Image

RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 180, 20)
LONG = "a-folder-with-a-long-name/" * 4 + "000003"


def image(color: tuple[int, int, int], kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 16), color).save(buffer, kind, quality=90)
    return buffer.getvalue()


def write(path: Path, form: int, members: dict[str, bytes]) -> None:
    with path.open("wb") as stream, tarfile.open(fileobj=stream, mode="w|", format=form) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode, info.uname, info.gname = len(data), 0, 0o444, "bigdata", "bigdata"
            tar.addfile(info, io.BytesIO(data))


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    red, blue = {"jpg": image(RED, "jpeg")}, {"jpg": image(BLUE, "jpeg")}
    write(folder / "numbers-000.tar", tarfile.PAX_FORMAT, {
        "__meta__": b"{}",
        "000000.jpg": red["jpg"], "000000.cls": b"2", "000000.json": b'{"any": "thing"}', "000000.__key__": b"000000",
        "000001.cls": b"0", "000001.png": image(BLUE, "png"),
        "deep/er/000002.cls": b"1\n", "deep/er/000002.webp": image(GREEN, "webp"),
        f"{LONG}.jpg": red["jpg"], f"{LONG}.cls": b"2",
    })
    write(folder / "numbers-001.tar", tarfile.GNU_FORMAT, {
        f"{LONG}.jpg": blue["jpg"], f"{LONG}.cls": b"0", f"{LONG}.txt": b"a caption beside a class",
        "000005.jpg": red["jpg"], "000005.cls": b"2",
    })
    write(folder / "names.tar", tarfile.PAX_FORMAT, {
        "a.seg.PNG": image(RED, "png"), "a.txt": "rötlich".encode(),
        "no-image.txt": b"red", "no-image.json": b"{}",
        "v1.2/b.jpg": blue["jpg"], "v1.2/b.txt": b"blue\n",
        "no-class.jpg": blue["jpg"],
    })


if __name__ == "__main__":
    main()
