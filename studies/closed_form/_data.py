"""Training sets of the W2 studies, with a reference of the law as evenly spread as it allows and a fresh sample.

Smoothing is in units of the length in `LENGTHS`: half the side of a cell for the checkerboard.
"""

import numpy as np

import unifiedscore as us

N, OUT = 200, 1000
LENGTHS = {"checkerboard": 1.0, "spirals": 0.3, "swiss_roll": 0.3, "sphere": 0.3, "digits": 0.7}


def lattice(n):
    """Low-discrepancy points of the unit square from the plastic number."""
    root = 1.32471795724474602596
    return (0.5 + np.arange(1, n + 1)[:, None] / np.array([root, root**2])) % 1.0


def board(rng, n):
    cells = np.array([(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0])
    return (cells[rng.integers(8, size=n)] + rng.random((n, 2))) * 2 - 4


def sphere(rng, n):
    x = rng.normal(size=(n, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def digits(rng, n):
    """Forty principal components of a training set; the other images in two halves that share none."""
    points = us.load_measure("digits").points
    order = rng.permutation(len(points))
    half = (len(points) - n) // 2
    train, first, second = (points[part] for part in np.split(order[: n + 2 * half], [n, n + half]))
    center = train.mean(0)
    axes = np.linalg.svd(train - center, full_matrices=False)[2][:40]
    return tuple((part - center) @ axes.T for part in (train, first, second))


def draw(name, rng, n=N):
    """Training set (n), reference (1000) and an independent fresh sample (1000; of digits 798 each for n = 200)."""
    if name == "digits":
        return digits(rng, n)
    if name == "checkerboard":
        cells = np.array([(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0])
        reference = (cells[:, None] + lattice(OUT // 8)).reshape(-1, 2) * 2 - 4
        return board(rng, n), reference, board(rng, OUT)
    if name == "sphere":
        return sphere(rng, n), sphere(rng, OUT), sphere(rng, OUT)
    return tuple(us.load_measure(name, n=size, rng=rng).points for size in (n, OUT, OUT))
