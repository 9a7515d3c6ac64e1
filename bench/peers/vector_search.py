"""Exact search by other programs: a participant.

    python vector_search.py ENGINE FOLDER THREADS

ENGINE is numpy (float32), SQfp16 or SQ8 (faiss, scalar quantisers).
"""

import os
import sys

engine, folder, threads = sys.argv[1], sys.argv[2], sys.argv[3]
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = threads

import base64  # noqa: E402
import glob  # noqa: E402
import resource  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402
import serve  # noqa: E402

paths = sorted(glob.glob(os.path.join(folder, "img_emb", "*.npy")))
shapes = [np.load(path, mmap_mode="r").shape for path in paths]
rows, width = sum(shape[0] for shape in shapes), shapes[0][1]

start = time.perf_counter()
if engine == "numpy":
    title, version = "NumPy, float32", np.__version__
    matrix = np.empty((rows, width), np.float32)
    at = 0
    for file in map(np.load, paths):
        matrix[at : at + len(file)] = file
        at += len(file)

    def search(queries: np.ndarray, top: int) -> np.ndarray:
        scores = queries @ matrix.T if len(queries) > 1 else (matrix @ queries[0])[None]
        some = np.argpartition(-scores, top, axis=1)[:, :top]
        order = np.argsort(-np.take_along_axis(scores, some, 1), axis=1)
        return np.take_along_axis(some, order, 1)

else:
    import faiss

    title, version = f"faiss, {engine}", faiss.__version__
    faiss.omp_set_num_threads(int(threads))
    kind = {"SQfp16": faiss.ScalarQuantizer.QT_fp16, "SQ8": faiss.ScalarQuantizer.QT_8bit}[engine]
    index = faiss.IndexScalarQuantizer(width, kind, faiss.METRIC_INNER_PRODUCT)
    index.train(np.load(paths[0])[:50_000].astype(np.float32))
    for file in map(np.load, paths):
        for first in range(0, len(file), 10_000):
            index.add(file[first : first + 10_000].astype(np.float32))

    def search(queries: np.ndarray, top: int) -> np.ndarray:
        return index.search(queries, top)[1]


opening = time.perf_counter() - start


def answer(request: dict) -> dict:
    queries = np.frombuffer(base64.b64decode(request["queries"]), "<f4").reshape(request["count"], -1)
    queries = np.ascontiguousarray(queries)
    found, times = [], []
    for some in [queries] if request["what"] == "batch" else [query[None] for query in queries]:
        begin = time.perf_counter()
        found.extend(search(some, request["top"]))
        times.append(time.perf_counter() - begin)
    return {"seconds": min(times), "ids": [[int(i) for i in ids] for ids in found]}


def memory(_: dict) -> dict:
    return {"seconds": 0, "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


serve.serve(title, version, {"search": answer, "memory": memory, "open": lambda _: {"seconds": opening}})
