"""Computes the coefficients of geluOf in arithmetic.cc, and its error: python coefficients.py (numpy, scipy).

Each fit minimises the largest relative error by reweighted least squares (Lawson's method).
"""

import numpy as np
from scipy.special import erfcx, ndtr

EDGE = 1.0  # where the two formulas meet
SLOPE = 0.4  # u = 1 / (1 + SLOPE t)


def minimax(basis, values):
    weights = np.ones(len(values))
    best, least = None, np.inf
    for _ in range(200):
        scale = np.sqrt(weights) / values
        found = np.linalg.lstsq(basis * scale[:, None], values * scale, rcond=None)[0]
        error = abs((basis @ found - values) / values)
        if error.max() < least:
            best, least = found, error.max()
        weights *= error / error.max() + 1e-12
        weights /= weights.sum()
    return best, least


def chebyshev(start, end, count=800):
    return (np.cos(np.pi * (np.arange(count) + 0.5) / count) + 1) / 2 * (end - start) + start


def show(name, coefficients, error):
    print(f"{name}, relative error {error:.1e}:", *(f"{c:.9e}" for c in coefficients))


x = chebyshev(1e-4, EDGE)
near, error = minimax((x * x)[:, None] ** np.arange(6), (ndtr(x) - 0.5) / x)
show("P: (phi(x) - 1/2) / x by powers of x^2 from 0", near, error)

t = chebyshev(EDGE, 13.5)
far, error = minimax((1 / (1 + SLOPE * t))[:, None] ** np.arange(1, 9), 0.5 * erfcx(t / np.sqrt(2)))
show("R: phi(-t) e^(t^2 / 2) by powers of u from 1", far, error)

# The same in float32, a product and a sum rounded once, as the processor does.
single = np.float32


def horner(coefficients, at):
    y = single(coefficients[-1]) * np.ones_like(at)
    for c in coefficients[-2::-1]:
        y = (y.astype("d") * at + single(c)).astype("f")
    return y


x = np.random.default_rng(0).normal(size=1_000_000).astype("f")
square, t = x * x, abs(x)
middle = (horner(near, square).astype("d") * x + 0.5).astype("f")
u = single(1) / (single(SLOPE) * t + single(1))
below = horner(far, u) * u * np.exp(single(-0.5) * square)
phi = np.where(t < EDGE, middle, np.where(x > 0, single(1) - below, below))
truth = x.astype("d") * ndtr(x.astype("d"))
print(f"GELU of a million normal numbers: relative L2 {np.linalg.norm(x * phi - truth) / np.linalg.norm(truth):.1e}")
