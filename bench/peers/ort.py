"""The participant onnxruntime, in Python.

    python ort.py TOWER.onnx MATRIX.onnx HEIGHT WIDTH [QUANTISED.onnx]

With QUANTISED.onnx, writes the tower in dynamic int8 to that file and runs it. That needs the package onnx.
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
QUANTISED = sys.argv[5] if len(sys.argv) > 5 else None
SIZE = tuple(map(int, sys.argv[3:5]))


@functools.cache
def session(path: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = serve.cores()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def image(request: dict) -> dict:
    pixels = synthetic.values("input.image", (request["batch"], 3, *SIZE))
    network = session(QUANTISED or TOWER)
    return serve.timed(lambda: network.run(None, {"pixels": pixels})[0])


def matrix(request: dict) -> dict:
    operand = synthetic.values("matrix", (request["size"], request["size"]))
    network = session(PRODUCT)
    return serve.timed(lambda: network.run(None, {"a": operand, "b": operand})[0])


if __name__ == "__main__":
    name = "onnxruntime"
    if QUANTISED:
        import onnx
        from onnxruntime.quantization import quantize_dynamic

        # Weights per channel, as ours. The graph has no shapes between its nodes, so that types must be named.
        quantize_dynamic(
            TOWER,
            QUANTISED,
            per_channel=True,
            use_external_data_format=True,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
        name = "onnxruntime, int8"
    serve.serve(name, onnxruntime.__version__, {"image": image, "matrix": matrix})
