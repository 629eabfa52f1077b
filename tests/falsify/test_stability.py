"""The smallest drifts between laws that are apart: the exact bound for two atoms, and the energy distance."""

import math
from pathlib import Path

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.study.discover import load_module


@pytest.fixture(scope="module")
def stability():
    return load_module(Path(__file__).parents[2] / "studies" / "drift" / "study_universal_stability.py")


@pytest.mark.parametrize("name", ["gaussian", "laplace", "rational"])
@pytest.mark.parametrize("gap", [0.4, 1.0, 2.0])
def test_two_atoms_have_the_bound_of_half_their_distance(stability, name, gap):
    """A change dm of the masses moves the posterior by pi (1 - pi) dm / (p (1 - p)), and their energy distance is
    dm sqrt(2 g): at least sqrt(g/2), attained by masses near one half."""
    even = {"first": (1.0, 1.0), "other": (1.0, 0.98)}
    found = stability.quantity(name)(stability.space.instance(points=2, gaps=(1.0, gap), **even))
    assert found["value"] == pytest.approx(math.sqrt(gap / 2), rel=2e-3)
    uneven = {"first": (1.0, 0.25), "other": (1.0, 0.2)}
    assert stability.quantity(name)(stability.space.instance(points=2, gaps=(1.0, gap), **uneven))["value"] > (
        math.sqrt(gap / 2)
    )


def test_the_energy_distance_is_the_sum_over_pairs(stability):
    rng = np.random.default_rng(0)
    atoms, (p, q) = np.sort(rng.random(5)), rng.dirichlet(np.ones(5), 2)
    pairs = np.abs(atoms[:, None] - atoms)
    square = 2 * p @ pairs @ q - p @ pairs @ p - q @ pairs @ q
    assert stability.energy_distance(atoms, p, q) == pytest.approx(math.sqrt(square), rel=1e-12)


def test_a_kernel_of_compact_support_does_not_see_the_masses_of_distant_atoms(stability):
    apart = stability.space.instance(points=2, gaps=(1.0, 2.5), first=(1.0, 0.1), other=(0.1, 1.0))
    assert stability.compact(apart)["value"] < 1e-14
    near = stability.space.instance(points=2, gaps=(1.0, 0.5), first=(1.0, 0.1), other=(0.1, 1.0))
    assert stability.compact(near)["value"] > 0.3


def test_the_drift_of_the_claim_is_a_difference_of_mean_shifts(stability):
    start = stability.STARTS["gaussian"][0]
    atoms, p, q = (np.array(start[name]) for name in ("atoms", "p", "q"))
    x = stability.grid(atoms, stability.INSIDE)
    first, other = (
        us.MeanShift(us.Gaussian(1.0), us.Samples(atoms[:, None], masses))(x[:, None])[:, 0] for masses in (p, q)
    )
    largest = np.abs(first - other).max() / stability.energy_distance(atoms, p, q)
    assert stability.quantity("gaussian")(start)["value"] == pytest.approx(largest, rel=1e-12)
    assert largest == pytest.approx(0.0757, abs=3e-3)
