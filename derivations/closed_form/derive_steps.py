"""Euler steps of closed-form diffusion: the last one is a barycenter, and every path is a mean [derived here]."""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.samplers.closed_form import time_grid
from unifiedscore.study.derivation import Derivation

EPS = np.finfo(float).eps
N, J, S = sp.symbols("n j S", positive=True)
START, POINT, CENTER, ETA = sp.symbols("z0 x c eta", real=True)


def step_gaps(last=S - 1):
    """An Euler step in t is z + (x - z)/(S - n), and the one from n = S - 1 ends at x."""
    step = START + (CENTER - START) / (S * (1 - N / S))
    return [sp.simplify(step - START - (CENTER - START) / (S - N)), sp.simplify(step.subs(N, last) - CENTER)]


def omega(n, j, plain=False):
    return 1 / n if plain else S * (S - n) / (n * (S - j) * (S - j - 1))


def path_gaps(plain=False):
    """Induction over n, coefficient by coefficient, and the telescoping sum of the weights."""
    keep = 1 - 1 / (S - N)
    old = (N + 1) / S * omega(N + 1, J, plain) - N / S * omega(N, J, plain) * keep
    new = (N + 1) / S * omega(N + 1, N, plain) - 1 / (S - N)
    start = 1 - (N + 1) / S - (1 - N / S) * keep
    telescope = 1 / ((S - J) * (S - J - 1)) - (1 / (S - J - 1) - 1 / (S - J))
    total = S * (S - N) / N * (1 / (S - N) - 1 / S) - 1
    return [sp.simplify(gap) for gap in (old, new, start, telescope, total)]


def one_point_gaps(shift=0):
    """(1 - n/S)(z_0 - x) solves the recursion and starts at z_0 - x."""
    gap = (1 - (N - shift) / S) * (START - POINT)
    return [sp.simplify(gap.subs(N, N + 1) - gap * (1 - 1 / (S - N))), sp.simplify(gap.subs(N, 0) - (START - POINT))]


def descent_gap(bound=ETA - ETA**2 / 2):
    """|z + eta d|^2/2 - |z|^2/2 - <x, eta d> = -(eta - eta^2/2)|d|^2, d = x - z; convexity of A does the rest."""
    z, x = sp.Matrix(sp.symbols("z1 z2", real=True)), sp.Matrix(sp.symbols("x1 x2", real=True))
    d = x - z
    moved = z + ETA * d
    return sp.expand((moved.dot(moved) - z.dot(z)) / 2 - ETA * x.dot(d) + bound * d.dot(d))


def path(rng, points, steps):
    return us.sample_closed_form(
        points, 4, n_steps=steps, smoothing=0.3, noise=us.Noise("fixed", draws=2), rng=rng, trajectory=True
    ).trajectory


def agree_path(rng):
    steps = 9
    states = path(rng, rng.normal(size=(6, 2)), steps)
    etas = time_grid(steps)[1]
    centers = states[:-1] + np.diff(states, axis=0) / etas[:, None, None]
    n = 7
    weight = sp.lambdify([N, J, S], omega(N, J), "numpy")(n, np.arange(n), steps)
    mean = (1 - n / steps) * states[0] + n / steps * np.einsum("j,jnd->nd", weight, centers[:n])
    return float(np.abs(mean - states[n]).max() / (EPS * steps * np.abs(states).max()))


def agree_last(rng):
    points = rng.normal(size=(6, 2))
    result = us.sample_closed_form(points, 5, n_steps=8, smoothing=0.0, rng=rng)
    code = us.Barycenter(us.Gaussian(1 / 8), points, scale=7 / 8)(result.last_state)
    return float(np.abs(code - result.samples).max() / (EPS * 64 * np.abs(points).max()))


def agree_one_point(rng):
    point = rng.normal(size=(1, 2))
    states = path(rng, point, 8)
    gap = (1 - np.arange(9) / 8)[:, None, None] * (states[0] - point)
    return float(np.abs(states - point - gap).max() / (EPS * (1 + np.abs(states).max())))


def agree_descent(rng):
    """The largest excess of the energy drop over its bound, for a smoothed field with fixed noise."""
    points, z, time, eta = rng.normal(size=(6, 2)), rng.normal(size=(5, 2)), 0.8, 0.4
    velocity = us.ClosedFormVelocity(points, time, 0.5, noise=rng.normal(size=(3, 2)))
    d = velocity(z) * (1 - time)
    drop = (1 - time) * (velocity.potential(z + eta * d) - velocity.potential(z))
    excess = (eta - eta**2 / 2) * (d**2).sum(1) - drop
    return float(max(excess.max(), 0.0) / (EPS * (1 + (points**2).sum(1).max() + (z**2).sum(1).max())))


derivations = [
    Derivation(
        claim="closed_form.last_step_barycenter",
        residual=step_gaps,
        control=lambda: step_gaps(S - 2),
        agrees=agree_last,
        mutation="the step before the last",
        statement="With uniform steps to t = 1 the last Euler step ends at the smoothed barycenter exactly.",
        source="derived here; the support theorem of arXiv 2310.12395 rests on it",
    ),
    Derivation(
        claim="closed_form.path_hull",
        residual=path_gaps,
        control=lambda: path_gaps(plain=True),
        agrees=agree_path,
        mutation="plain averages of the barycenters",
        statement="z_n - (1-t_n) z_0 is t_n times a weighted mean of the barycenters met so far, weights "
        "S(S-n)/(n(S-j)(S-j-1)) that sum to 1.",
        source="derived here",
    ),
    Derivation(
        claim="closed_form.one_point",
        residual=one_point_gaps,
        control=lambda: one_point_gaps(1),
        agrees=agree_one_point,
        mutation="the step at t = 0 is skipped",
        statement="A single training point is approached in a straight line: z_n - x = (1-t_n)(z_0 - x).",
        source="derived here",
    ),
    Derivation(
        claim="closed_form.descent",
        residual=descent_gap,
        control=lambda: descent_gap(ETA),
        agrees=agree_descent,
        mutation="eta instead of eta - eta^2/2",
        statement="With fixed noise a step lowers the energy of its time by at least (eta - eta^2/2)|x - z|^2.",
        source="derived here (concave-convex procedure)",
    ),
]
