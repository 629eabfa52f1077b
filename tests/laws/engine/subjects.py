# ruff: noqa: E501 - a subject a line
"""Every function of the engine that a law is tried on, listed once.

A subject computes something from two weighted samples and queries. How its value moves with the points is written
beside it, and where a law does not hold, why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import unifiedscore as us
from unifiedscore.fields import (
    Attraction,
    BatchDriftTarget,
    CorrectedMeanShift,
    DivergenceDrift,
    MomentMatchedTilt,
    PopulationScore,
    SharpDrift,
    SharpScore,
    SinkhornDrift,
    SmoothedKLGradient,
    WitnessGradient,
    batch_drift,
    sharp_scale,
    solve_tilt,
)
from unifiedscore.metrics import feature_scale
from unifiedscore.posterior import posterior_jacobian, posterior_moments, posterior_vectors
from unifiedscore.posterior.nearfield import NearField
from unifiedscore.posterior.neighbours import NeighbourMeans
from unifiedscore.samplers import DriftingFlow, sample_moment_matched
from unifiedscore.samplers.estimators import most_likely

MOMENTS = ("log_normalizer", "mean_shift", "score", "preconditioner", "mean_distance", "effective_samples")
DEGREES = {"mean_shift": 1, "score": -1, "preconditioner": 2, "mean_distance": 1, "residual": 1}


@dataclass(frozen=True)
class Subject:
    """One function of (target, model, queries, bandwidth).

    Attributes
    ----------
    degree : int
        The value has this power of a length: c times all lengths make it c^degree times as large.
    shape : {"vector", "scalar", "matrix"}
        What a rotation does to a value.
    moves : float
        A shift c of all points moves the value by moves * c.
    follows : float
        And it is the queries moved by follows * c that belong to it (closed-form states contract towards the origin).
    dimensions : tuple of int
    weighted : bool
        Whether points may have weights.
    fails : dict
        Law -> why it does not hold.
    """

    name: str
    evaluate: Callable
    degree: int = 0
    shape: str = "vector"
    moves: float = 0.0
    follows: float = 1.0
    dimensions: tuple[int, ...] = (2, 9)
    weighted: bool = True
    tolerance: float = 1e-11
    fails: dict = field(default_factory=dict)

    def __call__(self, target, model, x, bandwidth=1.0):
        return np.asarray(self.evaluate(target, model, x, bandwidth))


KERNELS = {
    "gaussian": us.Gaussian,
    "laplace": us.Laplace,
    "matern 3/2": lambda h: us.Matern(h, 1.5),
    "matern 0.8": lambda h: us.Matern(h, 0.8),
    "rational quadratic": lambda h: us.RationalQuadratic(h, 2.0),
    "student": lambda h: us.StudentT(h, 3.0, 2),
}
HEAVY = "the tail of the kernel gives a far point a share of everything"
MASS = "Z and what depends on it count the share of every point, however far"
BATCH = "the value at a query depends on the whole batch by definition"
NOISE = np.array([[0.5, -1.0], [-0.25, 0.75]])


def _noise(d):
    return np.tile(NOISE, (1, 5))[:, :d]


def _field(build, **options):
    return lambda p, q, x, h: build(h, p, q)(x)


def _of_kernels() -> list[Subject]:
    """What every kernel gives: one subject a kernel and quantity."""
    found = []
    for name, kernel in KERNELS.items():
        heavy = name in ("rational quadratic", "student")
        far = {"far": HEAVY, "clusters": HEAVY} if heavy else {}
        loose = 1e-10 if name == "matern 0.8" else 1e-11

        def add(title, evaluate, *, name=name, far=far, loose=loose, **rest):
            rest["fails"] = far | rest.get("fails", {})
            found.append(Subject(f"{title}, {name}", evaluate, tolerance=loose, **rest))

        for quantity in (*MOMENTS, "residual"):
            counts = quantity in ("log_normalizer", "effective_samples")
            fails = {}
            if counts:
                fails = {"far": MASS, "clusters": MASS}
            if quantity == "effective_samples":
                fails |= {"splitting": "two halves of a point are two samples", "zero weight": None}
            add(
                f"moments.{quantity}",
                lambda p, q, x, h, k=kernel, n=quantity: getattr(posterior_moments(k(h), p, x), n),
                degree=DEGREES.get(quantity, 0),
                shape="vector" if quantity in ("mean_shift", "score", "residual") else "scalar",
                fails={law: why for law, why in fails.items() if why},
            )
        add("MeanShift", lambda p, q, x, h, k=kernel: us.MeanShift(k(h), p)(x), degree=1)
        add("KernelScore", lambda p, q, x, h, k=kernel: us.KernelScore(k(h), p)(x), degree=-1)
        add("vectors", lambda p, q, x, h, k=kernel: posterior_vectors(k(h), p, x).score, degree=-1)
        add(
            "Barycenter", lambda p, q, x, h, k=kernel: us.Barycenter(k(h), p)(x), degree=1, moves=1.0
        )  # fmt: skip
        add("jacobian", lambda p, q, x, h, k=kernel: posterior_jacobian(k(h), p, x), shape="matrix")
        add("Drift", lambda p, q, x, h, k=kernel: us.Drift(k(h), target=p, model=q)(x), degree=1)
        add("ScoreDifference", lambda p, q, x, h, k=kernel: us.ScoreDifference(k(h), target=p, model=q)(x), degree=-1)
        add(
            "batch_drift",
            lambda p, q, x, h, k=kernel: batch_drift(k(h), x, positives=p.points, negatives=q.points).drift,
            degree=1,
            weighted=False,
            fails={"batch": BATCH, "splitting": BATCH, "clusters": BATCH},
        )
        add(
            "CorrectedMeanShift",
            lambda p, q, x, h, k=kernel: CorrectedMeanShift(k(h), p)(x),
            degree=1,
            weighted=False,
            fails={"splitting": "the correction counts samples"},
        )
        add("SharpScore", lambda p, q, x, h, k=kernel: SharpScore(k(h), p)(x), degree=-1)
        add("SharpDrift", lambda p, q, x, h, k=kernel: SharpDrift(k(h), target=p, model=q)(x), degree=-1)
        add("sharp_scale", lambda p, q, x, h, k=kernel: sharp_scale(k(h), p, x), degree=2, shape="scalar")
    return found


def _of_one_kernel() -> list[Subject]:
    """Fields of particular papers, with the kernel of each."""
    g, laplace = us.Gaussian, us.Laplace
    reach = {"far": "a far point has no plan to the other law, which is refused", "clusters": "as for a far point"}
    count = "counts points without weights"
    found = [
        Subject("Attraction", lambda p, q, x, h: Attraction(us.Barycenter(laplace(h), p), 1.0, 2.0)(x), 1),
        Subject("Smoothed", lambda p, q, x, h: us.Smoothed(us.MeanShift(g(h), p), 0.5 * h, noise=_noise(x.shape[1]))(x), 1),
        Subject("WitnessGradient", lambda p, q, x, h: WitnessGradient(laplace(h), target=p, model=q)(x), -1,
                fails={"far": MASS, "clusters": MASS}),
        Subject("SinkhornDrift", lambda p, q, x, h: SinkhornDrift(g(4 * h), target=p, model=q, tolerance=1e-12)(x), 1,
                tolerance=1e-9, fails=reach),
        Subject("BatchDriftTarget", lambda p, q, x, h: BatchDriftTarget(laplace(h), target=p, model=q)(x), 1,
                fails={"far": "a far point outweighs the tilted law, which is refused", "clusters": MASS}),
        Subject("SmoothedKLGradient", lambda p, q, x, h: SmoothedKLGradient(g(h), target=p, model=q, noise=h * _noise(x.shape[1]))(x), -1),
        Subject("SmoothedScore", lambda p, q, x, h: us.SmoothedScore(p, h, 0.5 * h, noise=_noise(x.shape[1]))(x), -1),
        Subject("PopulationScore", lambda p, q, x, h: PopulationScore(p, h, 2.0 * h)(x), -1, dimensions=(2,),
                tolerance=1e-6, fails={"far": "the lattice covers all data; too large a one is refused", "clusters": "as far",
                "rotation": None}),
        Subject("MomentMatchedTilt", lambda p, q, x, h: (lambda s: MomentMatchedTilt(s, solve_tilt(s))(x))(
            us.SmoothedScore(p, h, 0.0)), -1, dimensions=(2,), tolerance=1e-7,
            fails={"far": "the moments of the data count every point", "clusters": "as far"}),
        Subject("feature_scale", lambda p, q, x, h: [feature_scale(x, p.points)], 1, "scalar", weighted=False,
                fails={law: "a mean over all pairs" for law in ("far", "clusters", "batch", "splitting")}),
        Subject("NearField", lambda p, q, x, h: NearField(p).means(x, bandwidth=h).mean, 1, moves=1.0, dimensions=(1, 2),
                weighted=False),
        Subject("NearField, unpruned", lambda p, q, x, h: NearField(p).means(x, bandwidth=h, prune=False).mean, 1, moves=1.0,
                dimensions=(1, 2), weighted=False),
        Subject("NeighbourMeans", lambda p, q, x, h: NeighbourMeans(p, nearest=3, remainder=0)(
            x, bandwidth=h, rng=np.random.default_rng(0)), 1, moves=1.0, weighted=False, fails={"splitting": count}),
        Subject("nearest neighbours", lambda p, q, x, h: np.linalg.norm(
            p.points[NeighbourMeans(p, nearest=3, remainder=0).neighbours(x)] - x[:, None], axis=2).max(1), 1, "scalar",
            weighted=False, fails={"splitting": count}),
        Subject("most_likely", lambda p, q, x, h: np.linalg.norm(0.5 * p.points[most_likely(p, x, 0.5)] - x, axis=1), 1,
                "scalar", follows=0.5, fails={"scaling": "time is no length", "splitting": "half a weight is half as likely"}),
    ]  # fmt: skip
    for name in ("kl_model_target", "kl_target_model", "chi2_model_target", "hellinger", "jensen_shannon"):
        # The ratio of Z counts a far point of either law.
        fails = {} if name == "kl_model_target" else {"far": MASS, "clusters": MASS}
        found.append(
            Subject(f"DivergenceDrift {name}", lambda p, q, x, h, n=name: DivergenceDrift(laplace(h), target=p, model=q, divergence=n)(x), -1, fails=fails)
        )  # fmt: skip
    time = 0.5
    scale = {"scaling": "time is no length: the noise has standard deviation 1 - t"}
    rotated = {"rotation": "the noise tuple is not rotated along"}
    found += [
        Subject("ClosedFormScore", lambda p, q, x, h: us.ClosedFormScore(p, time)(x), follows=time, fails=scale),
        Subject("ClosedFormVelocity", lambda p, q, x, h: us.ClosedFormVelocity(p, time, 0.25, noise=_noise(x.shape[1]))(x),
                moves=1.0, follows=time, fails=scale | rotated),
        Subject("SmoothedClosedFormScore", lambda p, q, x, h: us.SmoothedClosedFormScore(
            p, time, 0.25, noise=_noise(x.shape[1]))(x), follows=time, fails=scale | rotated),
    ]  # fmt: skip
    return [
        s if s.name not in ("Smoothed", "SmoothedKLGradient", "SmoothedScore") else _replace(s, rotated) for s in found
    ]


def _replace(subject: Subject, fails: dict) -> Subject:
    from dataclasses import replace

    return replace(subject, fails=subject.fails | fails)


def _of_samplers() -> list[Subject]:
    """Samplers with their noise given or seeded; particles interact, or are many: no batch law."""
    particles = {"batch": "particles interact"}
    found = []
    for rule in ("drift", "sharp", "batch", "sinkhorn"):
        fails = dict(particles) | {"clusters": "particles of one cluster belong to the batch of the other"}
        if rule == "sinkhorn":
            fails["far"] = "a far point has no plan to the particles, which is refused"
        weighted = rule not in ("batch",)
        if rule == "batch":
            fails["splitting"] = "a batch has no weights"
        found.append(Subject(
            f"DriftingFlow {rule}", lambda p, q, x, h, r=rule: DriftingFlow(us.Gaussian(4 * h if r == "sinkhorn" else h), p, rule=r).velocity(x), 1,
            weighted=weighted, fails=fails, tolerance=1e-5 if rule == "sinkhorn" else 1e-11,
        ))  # fmt: skip
    found.append(Subject(
        "DriftingFlow.run", lambda p, q, x, h: DriftingFlow(us.Laplace(h), p).run(x, n_steps=3).particles, 1, moves=1.0,
        fails=particles | {"clusters": "as for a velocity"},
    ))  # fmt: skip
    for estimator, dims in ((us.Dense(), (2, 9)), (us.Near(), (2,)), (us.Neighbours(4, 0), (2, 9))):
        name = type(estimator).__name__.lower()

        def closed(p, q, x, h, estimator=estimator):
            return us.sample_closed_form(
                p, len(x), n_steps=8, smoothing=0.25, noise=us.Noise("shared", given=_noise(x.shape[1])),
                start_time=0.5, start=x, estimator=estimator, rng=np.random.default_rng(0),
            ).samples  # fmt: skip

        fails = {"scaling": "time is no length", "rotation": "the noise is not rotated along"}
        if name == "neighbours":
            fails["splitting"] = "counts points"
        found.append(Subject(
            f"sample_closed_form {name}", closed, 1, moves=1.0, follows=0.5, dimensions=dims,
            weighted=name == "dense", fails=fails,
        ))  # fmt: skip

    def matched(p, q, x, h):
        return sample_moment_matched(
            p, 12, noise_level=h, smoothing=0.0, step=0.01, n_steps=2, start=x, rng=np.random.default_rng(0)
        ).samples  # fmt: skip

    fails = particles | {"far": "the moments of the data count every point", "clusters": "as far",
                         "rotation": "the Brownian increments are not rotated along"}  # fmt: skip
    found.append(Subject("sample_moment_matched", matched, 1, moves=1.0, dimensions=(2,), tolerance=1e-9, fails=fails))
    return found


SUBJECTS = _of_kernels() + _of_one_kernel() + _of_samplers()


def under(law: str):
    """Cases (subject, dimension) of a law, for `pytest.mark.parametrize`."""
    import pytest

    cases = [(s, d) for s in SUBJECTS if s.fails.get(law) is None for d in s.dimensions]
    return pytest.mark.parametrize(
        ("subject", "d"), cases, ids=[f"{s.name}, d={d}".replace(" ", "_") for s, d in cases]
    )
