"""Writes fixtures/retrieval/k-means.safetensors, the golden of spherical k-means.

    python tools/golden/spherical_k_means.py fixtures/retrieval/k-means.safetensors

- `rows` F16 [N, D]: unit rows around some directions; `initial` F32 [K, D]: the first centroids.
- `labels` I64 [rounds, N], `objectives` F64 [rounds]: the assignment of each round and its mean similarity, in float64
  with NumPy; `centroids` F32 [K, D] after the last round. A round assigns the rows to the centroids and moves these to
  the normalised sums.
- metadata: `sklearn`, the mean similarity to the centroids of the best of ten runs of scikit-learn's KMeans on the same
  rows, with the centroids normalised.
"""

import sys

import numpy as np
import safetensors.numpy
import sklearn
from sklearn.cluster import KMeans

N, D, K, ROUNDS = 400, 24, 9, 6


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


random = np.random.default_rng(0)
directions = random.standard_normal((K, D))
rows = unit(0.8 + directions[random.integers(0, K, N)] + 0.9 * random.standard_normal((N, D))).astype(np.float16)
exact = rows.astype(np.float64)
initial = unit(exact[random.choice(N, K, replace=False)]).astype(np.float32)

centroids = initial
labels, objectives = [], []
for _ in range(ROUNDS):
    products = exact @ centroids.astype(np.float64).T
    nearest = products.argmax(1)
    # No row may be so near to two centroids that rounding decides.
    ordered = np.sort(products, axis=1)
    assert (ordered[:, -1] - ordered[:, -2]).min() > 1e-9
    labels.append(nearest)
    objectives.append(products.max(1).mean())
    sums = np.stack([exact[nearest == c].sum(0) for c in range(K)])
    centroids = unit(sums).astype(np.float32)

fitted = KMeans(K, n_init=10, random_state=0).fit(exact)
best = (exact @ unit(fitted.cluster_centers_).T).max(1).mean()
safetensors.numpy.save_file(
    {
        "rows": rows,
        "initial": initial,
        "labels": np.stack(labels).astype(np.int64),
        "objectives": np.array(objectives),
        "centroids": centroids,
    },
    sys.argv[1],
    metadata={
        "command": "tools/golden/spherical_k_means.py",
        "sklearn": repr(float(best)),
        "versions": f"numpy {np.__version__}, scikit-learn {sklearn.__version__}",
    },
)
