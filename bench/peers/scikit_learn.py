"""Fits scikit-learn's logistic regression to a features file and prints the figures as JSON.

    python scikit_learn.py FILE ITERATIONS C
"""

import json
import resource
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression


def peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()

    def tensor(name, dtype):
        begin, end = header[name]["data_offsets"]
        return np.frombuffer(data[begin:end], dtype).reshape(header[name]["shape"])

    return tensor("features", np.float32), tensor("labels", np.int64)


path, iterations, C = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
warnings.simplefilter("ignore")  # tol=0 always ends at the iteration limit, which scikit-learn warns about
before = peak()
features, labels = read(path)
model = LogisticRegression(C=C, tol=0, max_iter=iterations)
start = time.perf_counter()
model.fit(features, labels)
seconds = time.perf_counter() - start
figures = {"iterations": int(model.n_iter_[0]), "seconds": seconds, "bytes": peak() - before}
print(json.dumps({"program": "scikit-learn", "version": sklearn.__version__, **figures}))
