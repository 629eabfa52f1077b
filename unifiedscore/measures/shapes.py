"""Generated point sets in the plane and in space. Randomness is an explicit generator."""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.measures.arguments import read_number
from unifiedscore.measures.samples import Samples


def two_moons(*, n: int = 2000, rng: np.random.Generator, noise: float = 0.1) -> Samples:
    """Two interleaved half circles of radius 1 with Gaussian noise of standard deviation `noise`, in the plane."""
    n, rng = _draw(n, rng)
    theta = np.pi * rng.random(n)
    lower = rng.random(n) < 0.5
    x = np.where(lower, 1 - np.cos(theta), np.cos(theta))
    y = np.where(lower, 0.5 - np.sin(theta), np.sin(theta))
    return _noisy(np.stack([x, y], axis=1), noise, rng)


def checkerboard(*, n: int = 2000, rng: np.random.Generator, cells: int = 4, side: float = 4.0) -> Samples:
    """Uniform on the black cells of a cells x cells board of the given side, centred at the origin."""
    n, rng = _draw(n, rng)
    cells = validate.integer(cells, "cells", low=2)
    side = validate.positive(side, "side")
    row, column = np.divmod(np.arange(cells**2), cells)
    black = np.stack([row, column], axis=1)[(row + column) % 2 == 0]
    corner = black[rng.integers(len(black), size=n)]
    return Samples((corner + rng.random((n, 2))) * (side / cells) - side / 2)


def spirals(
    *, n: int = 2000, rng: np.random.Generator, arms: int = 2, turns: float = 1.5, noise: float = 0.05
) -> Samples:
    """Archimedean spirals, uniform in arc angle, radius growing from 0.25 to 3 over `turns` turns."""
    n, rng = _draw(n, rng)
    arms = validate.integer(arms, "arms")
    turns = validate.positive(turns, "turns")
    along = np.sqrt(rng.random(n))
    theta = 2 * np.pi * (turns * along + rng.integers(arms, size=n) / arms)
    radius = 0.25 + 2.75 * along
    return _noisy(radius[:, None] * np.stack([np.cos(theta), np.sin(theta)], axis=1), noise, rng)


def swiss_roll(*, n: int = 2000, rng: np.random.Generator, noise: float = 0.05) -> Samples:
    """A rolled-up strip in space: (u cos u, 5 h, u sin u) / 5 with u in [3 pi/2, 9 pi/2], h in [-1, 1]."""
    n, rng = _draw(n, rng)
    u = 1.5 * np.pi * (1 + 2 * rng.random(n))
    height = 5 * rng.uniform(-1, 1, n)
    return _noisy(np.stack([u * np.cos(u), height, u * np.sin(u)], axis=1) / 5, noise, rng)


def circle12(*, radius: float = 1.0, angle: float = 0.0) -> Samples:
    """Twelve equally spaced points on a circle, the first at `angle` radians. Nothing is random."""
    theta = read_number(angle, "angle") + 2 * np.pi * np.arange(12) / 12
    return Samples(validate.positive(radius, "radius") * np.stack([np.cos(theta), np.sin(theta)], axis=1))


def gaussian_counterpart(target: Samples, n: int, rng: np.random.Generator) -> Samples:
    """n Gaussian points with the mean and the covariance of `target`: a model that has only its first two moments."""
    values, vectors = np.linalg.eigh(target.covariance_matrix)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return Samples(target.mean + rng.standard_normal((n, target.dimension)) @ root.T)


def _draw(n, rng) -> tuple[int, np.random.Generator]:
    return validate.count(n, "n", entries=3), validate.generator(rng)


def _noisy(points: np.ndarray, noise, rng: np.random.Generator) -> Samples:
    noise = validate.positive(noise, "noise", allow_zero=True)
    return Samples(points + noise * rng.standard_normal(points.shape))


def shape_pair(builder):
    """A loader of pairs for one of the random shapes: the shape against a Gaussian, or against a second draw."""

    def pair(*, n: int = 2000, rng: np.random.Generator, model: str = "gaussian") -> tuple[Samples, Samples]:
        validate.choice(model, "model", ("gaussian", "same"))  # the same: a second draw of the target
        target = builder(n=n, rng=rng)
        return target, builder(n=n, rng=rng) if model == "same" else gaussian_counterpart(target, n, rng)

    pair.__doc__ = f"Target: {builder.__doc__} Model: Gaussian points of equal mean and covariance, or a second draw."
    return pair


def circle12_pair(*, radius: float = 1.0, angle: float = np.pi / 12) -> tuple[Samples, Samples]:
    """The twelve-point circle against itself turned by `angle` radians (by default half a step)."""
    return circle12(radius=radius), circle12(radius=radius, angle=angle)
