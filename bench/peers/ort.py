"""The participant onnxruntime, in Python.

    python ort.py TOWER.onnx MATRIX.onnx HEIGHT WIDTH
"""

import functools
import os
import sys
from pathlib import Path

import onnxruntime
import serve

sys.path.insert(0, os.fspath(Path(__file__).parents[2] / "tools" / "golden"))
import synthetic  # noqa: E402

TOWER, PRODUCT = sys.argv[1:3]
SIZE = tuple(map(int, sys.argv[3:5]))


@functools.cache
def session(path: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = serve.cores()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def image(request: dict) -> dict:
    pixels = synthetic.values("input.image", (request["batch"], 3, *SIZE))
    network = session(TOWER)
    return serve.timed(lambda: network.run(None, {"pixels": pixels})[0])


def matrix(request: dict) -> dict:
    operand = synthetic.values("matrix", (request["size"], request["size"]))
    network = session(PRODUCT)
    return serve.timed(lambda: network.run(None, {"a": operand, "b": operand})[0])


if __name__ == "__main__":
    serve.serve("onnxruntime", onnxruntime.__version__, {"image": image, "matrix": matrix})
