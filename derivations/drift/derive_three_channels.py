"""The drift as score mismatch plus preconditioner gap plus residual gap [derived here].

Two laws of two atoms each, in one coordinate (the identity is linear in the vectors), with free values of the kernel
and of its radial weight b at every atom: nothing about the kernel or the law is used.
"""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.study.derivation import Derivation


class Law:
    """Posterior quantities of a law with two atoms: posterior masses g, steps y - x and radial weights b."""

    def __init__(self, name):
        self.masses = sp.symbols(f"g_{name}1 g_{name}2", positive=True)
        self.steps = sp.symbols(f"z_{name}1 z_{name}2", real=True)
        self.radial = sp.symbols(f"b_{name}1 b_{name}2", positive=True)
        self.symbols = (*self.masses, *self.steps, *self.radial)
        pulls = [b * z for b, z in zip(self.radial, self.steps, strict=True)]
        self.shift = self.mean(self.steps)
        self.score = self.mean(pulls)
        self.preconditioner = self.mean([1 / b for b in self.radial])
        self.residual = self.mean(  # two-pass covariance of 1/b and b (y - x), not V - alpha s
            [(1 / b - self.preconditioner) * (p - self.score) for b, p in zip(self.radial, pulls, strict=True)]
        )

    def mean(self, values):
        return sum(g * v for g, v in zip(self.masses, values, strict=True)) / sum(self.masses)


P, Q = Law("p"), Law("q")


AVERAGE = (P.score + Q.score) / 2


def channels(score=AVERAGE):
    """The three terms; the theorem has the average score in the second."""
    return [
        (P.preconditioner + Q.preconditioner) / 2 * (P.score - Q.score),
        (P.preconditioner - Q.preconditioner) * score,
        P.residual - Q.residual,
    ]


def gap(score=AVERAGE):
    return sp.cancel(sp.together(P.shift - Q.shift - sum(channels(score))))


def agrees(rng):
    """Laplace drift of the field code against the lambdified channels, coordinate by coordinate."""
    bandwidth, x = 0.5 + rng.random(), rng.normal(size=3)
    atoms, masses = rng.normal(size=(2, 2, 3)), rng.dirichlet(np.ones(2), size=2)
    distances = np.linalg.norm(atoms - x, axis=2)
    posterior, radial = masses * np.exp(-distances / bandwidth), 1 / (bandwidth * distances)
    evaluate = sp.lambdify([*P.symbols, *Q.symbols], sum(channels()), "numpy")
    columns = [(*posterior[i], *(atoms[i] - x), *radial[i]) for i in range(2)]  # steps stay (3,): all coordinates
    laws = [us.Samples(atoms[i], masses[i]) for i in range(2)]
    field = us.Drift(us.Laplace(bandwidth=bandwidth), target=laws[0], model=laws[1])
    error = np.abs(field(x[None])[0] - evaluate(*columns[0], *columns[1])).max()
    terms = distances.max() ** 2 / distances.min()  # the largest preconditioner times the largest score
    return float(error / (np.finfo(float).eps * terms))


derivations = [
    Derivation(
        claim="drift.three_channels",
        residual=gap,
        control=lambda: gap(score=P.score),
        agrees=agrees,
        mutation="s_p for the average score in the second channel",
        statement="The drift splits exactly into (alpha_p + alpha_q)/2 (s_p - s_q) + (alpha_p - alpha_q)(s_p + s_q)/2 "
        "+ (delta_p - delta_q).",
        source="derived here",
    ),
]
