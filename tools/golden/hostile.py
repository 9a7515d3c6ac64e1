"""Writes fixtures/checkpoints/hostile: files that attack the program that reads them.

    python tools/golden/hostile.py

Pickles that call functions create a file named PWNED in the working directory if they succeed. The others demand
excessive time or memory, or contradict themselves.
"""

import builtins
import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch

OUT = Path(__file__).resolve().parents[2] / "fixtures" / "checkpoints" / "hostile"

TENSOR = (
    b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpu%(numel)stQ%(offset)s(%(shape)st(%(stride)st\x89N}tR"
)


def integer(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def tensor(numel: int, offset: int, shape: list[int], stride: list[int]) -> bytes:
    numbers = {"shape": b"".join(map(integer, shape)), "stride": b"".join(map(integer, stride))}
    return TENSOR % ({b"numel": integer(numel), b"offset": integer(offset)} | {k.encode(): v for k, v in numbers.items()})


def state(value: bytes) -> bytes:
    """The pickle of {"visual.proj": value}."""
    return b"\x80\x02}X\x0b\x00\x00\x00visual.proj" + value + b"s."


def archive(file: str, pickled: bytes, members: dict[str, bytes] | None = None, method=zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(OUT / file, "w", method) as writer:
        for name, data in ({"archive/data.pkl": pickled, "archive/data/0": bytes(64)} | (members or {})).items():
            writer.writestr(zipfile.ZipInfo(name), data, method)


class Call:
    def __init__(self, function, *args) -> None:
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


def executing() -> None:
    """Code that runs when Python loads the pickle."""
    command = "touch PWNED"
    attacks = {
        "os-system": Call(os.system, command),
        "builtins-eval": Call(builtins.eval, "open('PWNED', 'w')"),
        "builtins-exec": Call(builtins.exec, "open('PWNED', 'w')"),
        "getattr": Call(builtins.getattr, [], "append"),
        "open": Call(io.open, "PWNED", "w"),
    }
    good = {"visual.proj": torch.arange(4.0)}
    for name, attack in attacks.items():
        for suffix, options in (("", {}), ("-legacy", {"_use_new_zipfile_serialization": False})):
            torch.save(good | {"attack": attack}, OUT / f"{name}{suffix}.pt", **options)
    torch.save(Call(os.system, command), OUT / "os-system-alone.pt")
    torch.save({"state_dict": OrderedDict(good), "optimizer": Call(os.system, command)}, OUT / "os-system-optimizer.pt")
    # Instead of a tensor, to produce an error that names it.
    archive("os-system-tensor.pt", state(b"cposix\nsystem\n" + tensor(4, 0, [4], [1]) + b"\x85R"))
    # Names with a meaning in JavaScript.
    for name in ("constructor", "__proto__", "toString"):
        archive(f"javascript-{name.strip('_')}.pt", state(b"c" + name.encode() + b"\n" + name.encode() + b"\n)R"))
    archive("javascript-keys.pt", b"\x80\x02}(X\x09\x00\x00\x00__proto__" + tensor(4, 0, [4], [1]) + b"X\x0b\x00\x00\x00constructor" + tensor(4, 0, [4], [1]) + b"u.")
    # Imports through the opcodes STACK_GLOBAL and INST.
    archive("stack-global.pt", b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0btouch PWNED\x85R.")
    archive("inst.pt", b"\x80\x02(X\x0b\x00\x00\x00touch PWNEDiposix\nsystem\n.")
    archive("extension.pt", b"\x80\x02\x82\x01)R.")


def large() -> None:
    """Small files that demand much time or memory."""
    archive("bytes-length.pt", b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b".")
    archive("unicode-length.pt", b"\x80\x02X\xff\xff\xff\xff.")
    archive("long-length.pt", b"\x80\x02\x8b\xff\xff\xff\x7f.")
    archive("memo-index.pt", b"\x80\x02}r\xff\xff\xff\xff.")
    archive("dictionaries.pt", b"\x80\x02(" + b"}" * 40_000 + b"l.")
    archive("marks.pt", b"\x80\x02" + b"(" * 40_000 + b".")
    archive("nested-tuples.pt", b"\x80\x02)" + b"\x85" * 40_000 + b".")
    archive("nested-lists.pt", b"\x80\x02" + b"]" * 30_000 + b"a" * 29_999 + b".")
    # A list of two references to a list of two references …: 2¹⁰⁰⁰ items for a reader that visits them all.
    archive("memo-bomb.pt", b"\x80\x02]q\x00" + b"".join(b"](h\x00h\x00eq\x00" for _ in range(1000)) + b".")
    archive("dictionary-bomb.pt", b"\x80\x02}q\x00" + b"".join(b"}(X\x01\x00\x00\x00ah\x00X\x01\x00\x00\x00bh\x00uq\x00" for _ in range(1000)) + b".")
    archive("self-reference.pt", b"\x80\x02}q\x00X\x0a\x00\x00\x00state_dicth\x00s.")
    archive("module-cycle.pt", b"\x80\x02c__torch__\nM\n)\x81q\x00}X\x05\x00\x00\x00childh\x00sb.", {"archive/constants.pkl": b"\x80\x02)."})
    # A chain of modules, each of which contains the next one twice.
    chain = b"\x80\x02c__torch__\nM\n)\x81q\x00" + b"".join(
        b"c__torch__\nM\n)\x81}(X\x01\x00\x00\x00ah\x00X\x01\x00\x00\x00bh\x00ubq\x00" for _ in range(1000)
    )
    archive("module-bomb.pt", chain + b".", {"archive/constants.pkl": b"\x80\x02)."})
    huge = 2**40
    archive("tensor-expanded.pt", state(tensor(16, 0, [huge], [0])))
    archive("tensor-expanded-twice.pt", state(tensor(16, 0, [2**31, 2**31], [0, 0])))
    archive("tensor-shape.pt", state(tensor(16, 0, [huge], [1])))
    archive("tensor-stride.pt", state(tensor(16, 0, [2], [2**53 - 1])))
    archive("tensor-offset.pt", state(tensor(16, 2**52, [1], [1])))
    archive("tensor-negative.pt", state(tensor(16, -4, [1], [1])))
    archive("tensor-dimensions.pt", state(tensor(16, 0, [1] * 1000, [0] * 1000)))
    archive("storage-size.pt", state(tensor(huge, 0, [huge], [1])))
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    for name, count in (("size", 2**62), ("negative", 2**64 - 1)):
        (OUT / f"legacy-storage-{name}.pt").write_bytes(
            magic + state(tensor(huge, 0, [4], [1])) + pickle.dumps(["0"], 2) + struct.pack("<Q", count) + bytes(16)
        )
    (OUT / "legacy-keys.pt").write_bytes(magic + state(tensor(4, 0, [4], [1])) + pickle.dumps(["0"] * 5000, 2) + bytes(100))
    (OUT / "legacy-endless.pt").write_bytes(magic + b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + bytes(1000))


def broken() -> None:
    """Truncated files, and archives whose headers are wrong."""
    buffer = io.BytesIO()
    torch.save({"visual.proj": torch.arange(4.0)}, buffer)
    whole = buffer.getvalue()
    for cut in (1, 100, 400, len(whole) - 30):
        (OUT / f"cut-{cut}.pt").write_bytes(whole[:cut])
    pickled = state(tensor(4, 0, [4], [1]))
    for cut in (1, 3, 20, 60, len(pickled) - 1):
        archive(f"pickle-cut-{cut}.pt", pickled[:cut])
    for name, code in {
        "stop": b".", "pop": b"\x80\x020.", "reduce": b"\x80\x02R.", "build": b"\x80\x02b.", "memo": b"\x80\x02h\x07.",
        "tuple3": b"\x80\x02N\x87.", "setitems": b"\x80\x02(N.u.", "mark": b"\x80\x02(.", "persistent": b"\x80\x02NQ.",
        "unknown": b"\x80\x02\xff.", "protocol-0": b"(dp0\n.", "protocol-9": b"\x80\x09N.", "append": b"\x80\x02NNa.",
    }.items():
        archive(f"opcode-{name}.pt", code)
    archive("zip-bomb.pt", bytes(20_000_000), method=zipfile.ZIP_DEFLATED)
    archive("zip-bomb-storage.pt", state(tensor(5_000_000, 0, [5_000_000], [1])), {"archive/data/0": bytes(20_000_000)}, zipfile.ZIP_DEFLATED)
    archive("path-up.pt", pickled, {"../../PWNED": b"x"})
    archive("path-absolute.pt", pickled, {"/tmp/PWNED": b"x"})
    archive("path-key.pt", pickled.replace(b"X\x01\x00\x00\x000", b"X\x0b\x00\x00\x00../data.pkl"))
    with zipfile.ZipFile(OUT / "duplicate.pt", "w") as writer:
        for _ in range(2):
            writer.writestr("archive/data.pkl", pickled)
    good = io.BytesIO()
    with zipfile.ZipFile(good, "w") as writer:
        writer.writestr("archive/data.pkl", pickled)
        writer.writestr("archive/data/0", bytes(64))
        writer.writestr("archive/data/1", bytes(64))
    data = bytearray(good.getvalue())
    # Members that share bytes: the third has the header of the second.
    directory = data.rindex(b"PK\x01\x02")
    first = data.index(b"archive/data/0") - 30
    data[directory + 42 : directory + 46] = struct.pack("<I", first)
    (OUT / "overlap.pt").write_bytes(data)
    data = bytearray(good.getvalue())
    data[data.index(b"archive/data/0") + 20] ^= 1
    (OUT / "checksum.pt").write_bytes(data)
    end = good.getvalue().rindex(b"PK\x05\x06")
    for name, at, value in (("entries", 10, b"\xff\xfe"), ("directory", 16, b"\xf0\xff\xff\xff"), ("zip64", 8, b"\xff" * 12)):
        data = bytearray(good.getvalue())
        data[end + at : end + at + len(value)] = value
        (OUT / f"end-{name}.pt").write_bytes(data)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*.pt"):
        old.unlink()
    executing()
    large()
    broken()


if __name__ == "__main__":
    main()
