"""A call with its arguments, and the measures, kernels and points that the calls share."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from attack_arguments import Argument, points

import unifiedscore as us

ZERO = ("zero", "zero in single precision")
RNG = np.random.default_rng(5)
X = RNG.normal(size=(7, 2))
Y = RNG.normal(size=(9, 2))
P = us.GaussianMixture(RNG.normal(size=(3, 2)), 0.5)
Q = us.GaussianMixture(RNG.normal(size=(2, 2)), 0.7)
S = us.Samples(RNG.normal(size=(11, 2)))
GAUSS = us.Gaussian(0.7)
FIELD = us.KernelScore(GAUSS, S)
NOISE = np.random.default_rng(0).normal(size=(4, 2))
NO_OBJECT = {"None": None, "text": "abc", "number": 3.0, "array": np.zeros((2, 2)), "mapping": {}, "object": object()}


@dataclass(frozen=True)
class Door:
    """One call: `function(**arguments)`; every argument is spoilt in turn, the others stay valid."""

    label: str
    call: Callable
    arguments: Mapping[str, Argument]

    def good(self):
        return {argument: fresh(value.good) for argument, value in self.arguments.items()}

    def malformed(self):
        for argument, value in self.arguments.items():
            for what, bad in value.bad.items():
                yield argument, what, self.good() | {argument: bad}


def fresh(value):
    return np.random.default_rng(0) if isinstance(value, np.random.Generator) else value


def at(field, dimension=2):
    """The value, potential and Jacobian of a field at points."""
    good = np.ones((3, dimension)) * [[0.1], [0.5], [0.9]]
    doors = [Door(f"{type(field).__name__}(x)", lambda x: field(x), {"x": points(good)})]
    for part in ("potential", "jacobian"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = getattr(field, part)(good)
        if answer is not None:
            doors.append(Door(f"{type(field).__name__}.{part}", getattr(field, part), {"x": points(good)}))
    return doors
