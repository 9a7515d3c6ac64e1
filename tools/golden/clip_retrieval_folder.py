"""Writes fixtures/retrieval/clip-retrieval: a folder in clip-retrieval's layout, by NumPy; its parquet files are written
by DuckDB (see duckdb.sql in the fixture), because Debian has no pyarrow.

Eleven partitions, so that the numbers in the names have two digits, as clip-retrieval pads them.
"""

import os
import sys

import numpy as np

out = sys.argv[1]
os.makedirs(f"{out}/img_emb", exist_ok=True)
generator = np.random.default_rng(7)
for i in range(11):
    rows = generator.standard_normal((3, 8)).astype("f4")
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.save(f"{out}/img_emb/img_emb_{i:02}.npy", rows.astype("f2"))
