"""Moment-matched particles: what holds exactly, at every step, particle number and dimension.

Moments cannot see the law: the transposed pull-back below keeps them to rounding. Each identity therefore has its
mutant beside it.
"""

import warnings

import numpy as np

import unifiedscore as us
from unifiedscore.samplers import ChainState, ManifoldChain
from unifiedscore.study import Claim, Control, Grid, Identity, Study, Theorem, Variable

PAPER, HERE = "Yao and Paulin 2026, arXiv 2605.14276", "derived here"
SHAPES = {2: 6, 5: 12, 20: 40}


def matrices(d, rng):
    factor = np.tril(rng.normal(size=(d, d))) + 2 * np.eye(d)
    return factor, rng.normal(size=d)


def moments(d, p, rng):
    """Worst moment error over 40 steps, in both precisions, and after as many unprojected steps."""
    data = rng.normal(size=(50, d)) @ matrices(d, rng)[0].T
    noise = us.Noise("fresh_antithetic", draws=4)
    settings = dict(noise_level=1.0, smoothing=0.5, noise=noise, step=0.01, n_steps=40)
    double, single = (
        us.sample_moment_matched(data.astype(kind), p, rng=rng, **settings).moment_error.max()
        for kind in (np.float64, np.float32)
    )
    chain = ManifoldChain(us.CenteredStiefel(p, d), 0.01)
    y = chain.manifold.sample(rng)
    for _ in range(40):
        y = y - 0.01 * y + np.sqrt(0.02) * rng.standard_normal(y.shape)
    return double, single, float(chain.manifold.distance(y))


def pull_back(d, p, rng):
    """Derivative of sum_i V(mu + L y_i), V = sum z^4/4, along a random H: complex step, and both pull-backs."""
    factor, mean = matrices(d, rng)
    y, h = rng.normal(size=(p, d)), rng.normal(size=(p, d))
    slope = float((((mean + (y + 1e-30j * h) @ factor.T) ** 4).sum() / 4).imag / 1e-30)
    force = (mean + y @ factor.T) ** 3
    right, wrong = (float(((force @ m) * h).sum()) for m in (factor, factor.T))
    return slope - right, slope - wrong, float(np.abs((force @ factor) * h).sum())


def factor_change(d, p, rng):
    """Largest change of Z after 10 steps when L and the noise are turned by Q."""
    factor, mean = matrices(d, rng)
    chain = ManifoldChain(us.CenteredStiefel(p, d), 0.005)
    start, noise = chain.manifold.sample(rng), rng.standard_normal((11, p, d))
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    score = us.SmoothedScore(mean + rng.normal(size=(20, d)) @ factor.T, 2.0, 0.0)
    ends = []
    for transposed in (False, True):
        for q in (np.eye(d), turn):
            root = factor @ q
            state = ChainState(start @ q, noise[0] @ q)
            for xi in noise[1:]:
                force = -score(mean + state.y @ root.T) @ (root.T if transposed else root)
                state = chain.advance_with(state, force, noise=xi @ q)
            ends.append(mean + state.y @ root.T)
    scale = float(np.abs(ends[0]).max())
    return np.abs(ends[0] - ends[1]).max(), np.abs(ends[2] - ends[3]).max(), scale


def quadratic(d, p, rng):
    """Projected force of a quadratic potential, with both pull-backs."""
    factor, mean = matrices(d, rng)
    manifold = us.CenteredStiefel(p, d)
    y, a = manifold.sample(rng), rng.normal(size=(d, d))
    force = (mean + y @ factor.T) @ (a + a.T)
    right, wrong = (np.abs(manifold.project(y, force @ m)).max() for m in (factor, factor.T))
    return right, wrong, float(np.abs(force @ factor).max())


def simplices(d, rng):
    spread = []
    for p in (d + 1, d + 2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y = us.CenteredStiefel(p, d).sample(rng)
        gaps = ((y[:, None] - y) ** 2).sum(-1)[np.triu_indices(p, 1)]
        spread.append(np.abs(gaps - 2 * p).max())
    return spread[0], spread[1], float(2 * d + 2)


def antithetic(d, rng):
    """Smoothed score of one data point: exact with antithetic draws, not with independent ones."""
    x, z = rng.normal(size=(1, d)), rng.normal(size=(5, d))
    half = rng.standard_normal((4, d))
    noises = np.concatenate([half, -half]), rng.standard_normal((8, d))
    errors = [np.abs(us.SmoothedScore(x, 0.5, 1.0, noise=noise)(z) - (x - z) / 0.25).max() for noise in noises]
    return *errors, float(np.abs(x - z).max() / 0.25 + 8)


def whitened(rng):
    """Spectrum of whitened digits, fully, and by the partial scheme that leaves the leading twenty directions."""
    data = us.Samples(us.load_measure("digits", label=8).points)
    white = us.whiten(data, floor=1e-3)
    full = np.abs(np.linalg.eigvalsh(white.data.covariance_matrix) - 1).max()
    values = np.linalg.eigvalsh(data.covariance_matrix)[::-1][:40]
    partial = np.concatenate([values[:20], np.full(20, values[20])])
    return full, np.abs(partial / partial.mean() - 1).max()


def measure(cell, rng):
    d = cell["dimension"]
    p = SHAPES[d]
    double, single, free = moments(d, p, rng)
    found = {
        "moment_error": double,
        "moment_error_single": single,
        "moment_error_free": free,
        "one": 1.0,
        "single": float(np.finfo(np.float32).eps / np.finfo(np.float64).eps),
    }
    for name, values in (
        ("pull_back", pull_back(d, p, rng)),
        ("factor", factor_change(d, p, rng)),
        ("quadratic", quadratic(d, p, rng)),
        ("simplex", simplices(d, rng)),
        ("antithetic", antithetic(d, rng)),
        ("whitening", (*whitened(rng), 1.0)),
    ):
        found |= {name: values[0], f"{name}_mutant": values[1], f"{name}_scale": values[2]}
    return found


def claim(name, statement, source, mutation, c, variable):
    return Claim(f"moment_matched.{name}", statement, source, "exact", variable, Identity(c, f"{variable}_scale"),
                 control=Control(mutation, variable=f"{variable}_mutant"))  # fmt: skip


matched = Theorem("moment_matched.moments_exact",
                  "Mean and covariance of the particles are exact after every step.", PAPER, "exact",
                  control=Control("a restoring drift without projection", variable="moment_error_free"))  # fmt: skip
study = Study(
    name="moment_matched_identities",
    title="Moment-matched particles: exact identities and the mutants that moments cannot see",
    grid=Grid(dimension=list(SHAPES), seed=range(3)), measure=measure,
    variables={
        "moment_error": Variable("Largest moment error over all steps, double precision"),
        "moment_error_single": Variable("Largest moment error over all steps, single precision"),
        "moment_error_free": Variable("Moment error of a restoring drift without projection"),
        "one": Variable("Scale 1"),
        "single": Variable("Ratio of the two precisions"),
        **{
            f"{name}{suffix}": Variable(f"{words}{more}")
            for name, words in {
                "pull_back": "Derivative of the energy minus its pull-back",
                "factor": "Change of Z with the factor L",
                "quadratic": "Projected force of a quadratic",
                "simplex": "Change of squared pair distances",
                "antithetic": "Error of the smoothed score of one point",
                "whitening": "Deviation of the spectrum from 1",
            }.items()
            for suffix, more in (("", ""), ("_mutant", ", with the mutation"), ("_scale", ", size of its terms"))
        },
    },
    claims=[
        matched.claim(regime="float64", variable="moment_error", test=Identity(50, "one")),
        matched.claim(regime="float32", variable="moment_error_single", test=Identity(8, "single")),
        claim("pullback", "The gradient of sum_i V(mu + L y_i) in Y is G_Z L.", f"eq. 34 of {PAPER}", "G_Z L^T", 200,
              "pull_back"),
        claim("factor_invariance", "With polar retraction Z does not depend on the factor of the covariance.", HERE,
              "G_Z L^T", 1e4, "factor"),
        claim("quadratic_potential", "The projected force of a quadratic potential vanishes.", HERE, "G_Z L^T", 200,
              "quadratic"),
        claim("simplex", "Systems of d + 1 particles form a rigid simplex.", HERE, "d + 2 particles", 100, "simplex"),
        claim("antithetic", "The smoothed score of one data point is exact with antithetic draws.",
              f"eq. 8 of {PAPER}", "independent draws", 200, "antithetic"),
        claim("whitening", "Full whitening gives a unit spectrum.", HERE,
              "the leading twenty directions left as they are", 1e4, "whitening"),
    ],
)  # fmt: skip
