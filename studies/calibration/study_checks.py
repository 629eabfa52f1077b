"""Have the conformance checks power? Kernels and fields with one thing wrong must be refused, their sound twins not."""

from dataclasses import dataclass

import numpy as np

import unifiedscore as us
from unifiedscore.fields import AbstractField
from unifiedscore.kernels import ScaleMixture
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable
from unifiedscore.testing import LawError, check_field, check_kernel
from unifiedscore.validate import points

BANDWIDTH = 0.5
X = np.random.default_rng(0).normal(size=(6, 2))


def laplace(**methods):
    """A Laplace kernel with some methods replaced."""
    return dataclass(frozen=True)(type("Planted", (us.Laplace,), methods))(BANDWIDTH)


class Planted(AbstractField):
    """The gradient of |x|^4/4 + x_1 x_2^2, its Jacobian and its potential, each times what is planted."""

    dimension = 2
    is_conservative = True

    def __init__(self, field=1.0, jacobian=1.0, potential=1.0, twist=0.0):
        self.factors, self.twist = (field, jacobian, potential), twist

    def __call__(self, x):
        x = points(x, "x", dimension=2)
        value = (x**2).sum(1, keepdims=True) * x + np.stack([x[:, 1] ** 2, 2 * x[:, 0] * x[:, 1]], axis=1)
        return (self.factors[0] * value + self.twist * x[:, ::-1] * np.array([1.0, -1.0])).astype(x.dtype)

    def jacobian(self, x):
        x = points(x, "x", dimension=2).astype(float)
        value = (x**2).sum(1)[:, None, None] * np.eye(2) + 2 * x[:, :, None] * x[:, None, :]
        bent = np.zeros_like(value)
        bent[:, 0, 1], bent[:, 1, 0], bent[:, 1, 1] = 2 * x[:, 1], 2 * x[:, 1], 2 * x[:, 0]
        return self.factors[1] * (value + bent) + self.twist * np.array([[0.0, 1.0], [-1.0, 0.0]])

    def potential(self, x):
        x = points(x, "x", dimension=2).astype(float)
        return self.factors[2] * ((x**2).sum(1) ** 2 / 4 + x[:, 0] * x[:, 1] ** 2)


PLANTS = {
    "kernel_inverse_weight": (
        "an inverse weight that is wrong by 1e-5",
        lambda: check_kernel(laplace(inverse_weight=lambda self, r: (1 + 1e-5) * BANDWIDTH * np.asarray(r))),
    ),
    "kernel_tile": (
        "compiled code of another bandwidth",
        lambda: check_kernel(laplace(compiled_tile=lambda self: us.Laplace(0.6).compiled_tile())),
    ),
    "kernel_mixture": (
        "the scale mixture of a Gaussian",
        lambda: check_kernel(laplace(scale_mixture=lambda self: ScaleMixture(atom=0.5))),
    ),
    "kernel_slope": (
        "twice the slope of the inverse weight",
        lambda: check_kernel(laplace(inverse_slope=property(lambda self: 2 * BANDWIDTH))),
    ),
    "kernel_profile": (
        "a profile that is not 1 at distance 0",
        lambda: check_kernel(laplace(log_profile=lambda self, r: np.log(2) - np.asarray(r) / BANDWIDTH)),
    ),
    "field_jacobian": ("a Jacobian with the wrong sign", lambda: check_field(Planted(jacobian=-1.0), X)),
    "field_potential": ("half of its potential", lambda: check_field(Planted(potential=0.5), X)),
    "field_curl": ("a part that turns, called conservative", lambda: check_field(Planted(twist=0.1), X)),
}


def refused(check):
    """1 if the check refuses, 0 if it passes."""
    try:
        check()
    except LawError:
        return 1.0
    return 0.0


def measure(cell, rng):
    sound = (
        (lambda: check_kernel(laplace())) if cell["plant"].startswith("kernel") else lambda: check_field(Planted(), X)
    )
    return {"refused": refused(PLANTS[cell["plant"]][1]), "sound_refused": refused(sound)}


study = Study(
    name="calibration_checks", title="Conformance checks refuse what is planted",
    grid=Grid(plant=list(PLANTS)), measure=measure,
    variables={
        "refused": Variable("Whether the check refuses what was planted (1 or 0)"),
        "sound_refused": Variable("Whether the check refuses its sound twin (1 or 0)"),
    },
    claims=[
        Claim("calibration.checks", f"The conformance check of a {name.split('_')[0]} refuses one with {words}.",
              "derived here, from the definitions", "exact", "refused", Inside(0.5, 1.5), where={"plant": name},
              regime=name, control=Control("the sound twin in its place", variable="sound_refused"))
        for name, (words, _) in PLANTS.items()
    ],
)  # fmt: skip
