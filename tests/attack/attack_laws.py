"""Calls of kernels, measures and the posterior."""

import numpy as np
from attack_arguments import (
    Argument,
    covariance,
    integer,
    kernel,
    kernels,
    measure,
    name,
    number,
    points,
    rng,
    vector,
    weights,
)
from attack_objects import GAUSS, RNG, ZERO, Door, P, S, X

import unifiedscore as us


def of_kernel(factory, **shape):
    return [
        Door(factory.__name__, factory, {"bandwidth": number(0.7)} | shape),
        Door(
            f"{factory.__name__}.with_bandwidth",
            factory(0.7, **{k: v.good for k, v in shape.items()}).with_bandwidth,
            {"bandwidth": number(0.7)},
        ),
    ]


def of_measure(made):
    x = {"x": points(X)}
    return [
        Door("mixture.log_density", made.log_density, x),
        Door("mixture.score", made.score, x),
        Door("mixture.sample", made.sample, {"n": integer(4, high=True), "rng": rng()}),
        Door("mixture.smoothed", made.smoothed, {"variance": number(0.3).without(*ZERO)}),
        Door("mixture.scaled", made.scaled, {"factor": number(-0.5, low=-np.inf).without("true")}),
        Door(
            "mixture.tilted",
            made.tilted,
            {
                "linear": vector([0.1, 0.2], none=True),
                "quadratic": covariance(0.2, components=3, dimension=2).without(
                    "negative component", "negative", "cube", "indefinite"
                ),
            },
        ),
        Door("mixture.quadrature", made.quadrature, {"order": integer(4, high=True)}),
        Door(
            "mixture.from_sklearn",
            made.from_sklearn,
            {
                "fitted": Argument(
                    Fitted(), {"None": None, "text": "a", "class": Fitted, "array": X, "unfitted": object()}
                )
            },
        ),
    ]


class Fitted:
    """As sklearn leaves it."""

    def __init__(self):
        self.means_, self.covariances_ = np.zeros((2, 2)), np.ones((2, 2))
        self.weights_, self.covariance_type = np.ones(2) / 2, "diag"


def doors():
    """One entry for each public name."""
    moments = us.posterior_moments(GAUSS, S, X)
    return {
        "Gaussian": of_kernel(us.Gaussian),
        "Laplace": of_kernel(us.Laplace),
        "Matern": of_kernel(us.Matern, smoothness=number(1.5)),
        "RationalQuadratic": of_kernel(us.RationalQuadratic, exponent=number(1.0)),
        "StudentT": of_kernel(us.StudentT, degrees=number(3.0), dimension=integer(2)),
        "KernelSum": [
            Door(
                "KernelSum",
                us.KernelSum,
                {"kernels": kernels([us.Laplace(0.5), GAUSS]), "weights": weights([1.0, 2.0])},
            ),
            Door("KernelSum.with_bandwidth", us.KernelSum([GAUSS]).with_bandwidth, {"bandwidth": number(0.7)}),
        ],
        "kernel_by_name": [
            Door("kernel_by_name", us.kernel_by_name, {"name": name("laplace"), "bandwidth": number(0.5)}),
            Door("kernel_by_name", lambda **g: us.kernel_by_name("student_t:3", 0.5, **g), {"dimension": integer(2)}),
            Door(
                "kernel_by_name",
                lambda name: us.kernel_by_name(name, 0.5),
                {
                    "name": Argument(
                        "matern:1.5",
                        {
                            "no number": "matern:x",
                            "nan": "matern:nan",
                            "no shape": "matern",
                            "superfluous": "laplace:2",
                            "negative": "matern:-1",
                            "zero": "rational_quadratic:0",
                            "infinite": "matern:inf",
                            "twice": "matern:1:2",
                            "huge": "matern:1e400",
                            "no dimension": "student_t:3",
                        },
                    )
                },
            ),
        ],
        "GaussianMixture": [
            Door(
                "GaussianMixture",
                us.GaussianMixture,
                {
                    "means": points(np.eye(3, 2), dimension=False),
                    "covariance": covariance(0.5, components=3, dimension=2),
                    "weights": weights([1.0, 2.0, 3.0]),
                },
            ),
            Door(
                "GaussianMixture",
                lambda dimension: us.GaussianMixture(np.eye(3, 2), 1.0, dimension=dimension),
                {"dimension": integer(5, none=True).also(small=1)},
            ),
            *of_measure(P),
            *of_measure(us.GaussianMixture(X[:2], np.eye(2) * 0.3)),
        ],
        "Samples": [
            Door("Samples", us.Samples, {"points": points(X, dimension=False), "weights": weights(np.ones(7))}),
            Door("Samples.sample", S.sample, {"n": integer(3, high=True), "rng": rng()}),
        ],
        "load_measure": [
            Door("load_measure", us.load_measure, {"name": name("circle12")}),
            Door(
                "load_measure",
                lambda **g: us.load_measure("two_moons", **({"n": 5, "rng": RNG} | g)),
                {"n": integer(5, high=True), "rng": rng(), "noise": number(0.1).without(*ZERO)},
            ),
            Door(
                "load_measure",
                lambda **g: us.load_measure("circle12", **g),
                {"radius": number(1.0), "angle": number(0.2, low=-np.inf).without("true")},
            ),
        ],
        "load_pair": [
            Door(
                "load_pair",
                lambda **g: us.load_pair(**({"dimension": 3} | g)),
                {"name": name("ring_mog"), "dimension": integer(3)},
            ),
            Door(
                "load_pair",
                lambda dimension: us.load_pair("raw_mog", dimension=dimension),
                {"dimension": integer(12).also(small=11)},
            ),
            Door(
                "load_pair",
                lambda **g: us.load_pair("two_moons", **({"n": 5, "rng": RNG} | g)),
                {"n": integer(5, high=True), "rng": rng(), "model": name("same")},
            ),
        ],
        "whiten": [
            Door(
                "whiten",
                us.whiten,
                {"data": measure(S, mixtures=False, dimension=False)}
                | {"floor": number(1e-6, none=True).without(*ZERO)},
            ),
            Door("Whitening.apply", us.whiten(S).apply, {"x": points(X)}),
            Door("Whitening.restore", us.whiten(S).restore, {"x": points(X)}),
        ],
        "PosteriorMoments": [
            Door(
                "PosteriorMoments",
                us.PosteriorMoments,
                {
                    part: Argument(
                        getattr(moments, part),
                        {
                            "None": None,
                            "text": "abc",
                            "ragged": [[1.0], [1.0, 2.0]],
                            "other length": np.ones((3, 2)),
                            "object": object(),
                        },
                    )
                    for part in us.PosteriorMoments.__dataclass_fields__
                },
            )
        ],
        **{
            function.__name__: [
                Door(
                    f"{function.__name__} {type(m).__name__}",
                    function,
                    {"kernel": kernel(GAUSS), "measure": measure(m), "x": points(X)},
                )
                for m in (S, P)
            ]
            + [
                Door(
                    function.__name__,
                    lambda exclude, function=function: function(GAUSS, S, X, exclude=exclude),
                    {
                        "exclude": Argument(
                            np.arange(7),
                            {
                                "short": np.arange(3),
                                "beyond": np.full(7, 11),
                                "negative": np.full(7, -2),
                                "text": "abc",
                                "float": np.ones(7),
                                "matrix": np.ones((7, 1), dtype=int),
                                "object": object(),
                                "mapping": {},
                                "nan": np.full(7, np.nan),
                                "complex": 1j,
                                "truth": np.ones(7, dtype=bool),
                            },
                        )
                    },
                ),
            ]
            for function in (us.posterior_moments, us.posterior_vectors)
        },
    }
