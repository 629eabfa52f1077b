"""The manifold of matched systems: projection, retractions, uniform law, geodesics, refusals."""

import warnings

import numpy as np
import pytest

from unifiedscore.errors import InputError
from unifiedscore.samplers import CenteredStiefel

EPS = np.finfo(float).eps
SHAPES = [(3, 1), (5, 2), (12, 3), (7, 6)]


def manifold(p, d):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CenteredStiefel(p, d)


def tangent_basis_residual(m, y, v):
    """How far v is from the tangent space: sum of rows, and the symmetric part of Y^T V."""
    inner = np.swapaxes(y, -1, -2) @ v
    return max(np.abs(v.sum(-2)).max(), np.abs(inner + np.swapaxes(inner, -1, -2)).max())


@pytest.mark.parametrize(("p", "d"), SHAPES)
def test_projection_is_the_orthogonal_one(p, d):
    rng, m = np.random.default_rng(0), manifold(p, d)
    y = m.sample(rng, systems=(3,))
    g = rng.standard_normal(y.shape)
    v = m.project(y, g)
    assert tangent_basis_residual(m, y, v) < 100 * EPS * p
    assert np.abs(m.project(y, v) - v).max() < 100 * EPS
    # The rest is orthogonal to every tangent vector.
    w = m.project(y, rng.standard_normal(y.shape))
    assert np.abs(((g - v) * w).sum((-2, -1))).max() < 1e-12
    # And it is the derivative of the retraction along any direction.
    h = 1e-6
    for method in ("polar", "qr") if d == 1 else ("polar",):
        slope = (m.retract(y + h * g, method=method) - m.retract(y - h * g, method=method)) / (2 * h)
        assert np.abs(slope - v).max() < 1e-7


@pytest.mark.parametrize("method", ["polar", "qr"])
@pytest.mark.parametrize(("p", "d"), [*SHAPES, (101, 100)])
def test_retractions_land_on_the_manifold(p, d, method):
    m, rng = manifold(p, d), np.random.default_rng(1)
    for dtype, bound in ((np.float64, 50 * EPS), (np.float32, 1e-7)):
        y = m.retract(rng.standard_normal((2, p, d)).astype(dtype), method=method)
        assert y.dtype == dtype and m.distance(y).max() < bound
        assert np.abs(m.retract(y, method=method) - y).max() < 20 * np.finfo(dtype).eps * np.sqrt(p)


def test_retractions_are_first_order_equal_along_tangent_directions():
    m, rng = manifold(6, 2), np.random.default_rng(2)
    y = m.sample(rng)
    v = m.project(y, rng.standard_normal(y.shape))
    for h in (1e-3, 1e-4):
        polar, qr = (m.retract(y + h * v, method=name) for name in ("polar", "qr"))
        assert np.abs(polar - y - h * v).max() < 20 * h**2 and np.abs(polar - qr).max() < 20 * h**2


def test_polar_retraction_is_equivariant_on_both_sides():
    m, rng = manifold(6, 2), np.random.default_rng(3)
    y = rng.standard_normal((6, 2))
    right, _ = np.linalg.qr(rng.standard_normal((2, 2)))
    order = rng.permutation(6)
    assert np.abs(m.retract(y @ right) - m.retract(y) @ right).max() < 1e-14
    assert np.abs(m.retract(y[order]) - m.retract(y)[order]).max() < 1e-14
    assert np.abs(m.retract(y @ right, method="qr") - m.retract(y, method="qr") @ right).max() > 0.01


@pytest.mark.parametrize(("p", "d"), SHAPES)
def test_geodesics_keep_speed_angles_and_the_manifold(p, d):
    m, rng = manifold(p, d), np.random.default_rng(4)
    y = m.sample(rng, systems=(2,))
    v, w = (0.3 * m.project(y, rng.standard_normal(y.shape)) for _ in range(2))
    end, speed, moved = m.geodesic(y, v, v, w)
    assert m.distance(end).max() < 20 * EPS
    assert max(tangent_basis_residual(m, end, u) for u in (speed, moved)) < 1e-12 * p
    for a, b, c, e in ((v, v, speed, speed), (v, w, speed, moved), (w, w, moved, moved)):
        assert (c * e).sum((-2, -1)) == pytest.approx((a * b).sum((-2, -1)), rel=1e-4)
    back, *_ = m.geodesic(end, -speed)
    assert np.abs(back - y).max() < 1e-4


def test_geodesic_of_one_dimension_is_a_great_circle():
    m, rng = manifold(5, 1), np.random.default_rng(5)
    y = m.sample(rng)
    v = 0.4 * m.project(y, rng.standard_normal(y.shape))
    angle = np.linalg.norm(v) / np.sqrt(5)
    end, moved = m.geodesic(y, v, v)
    assert end == pytest.approx(np.cos(angle) * y + np.sin(angle) / angle * v, abs=1e-7)
    assert moved == pytest.approx(np.cos(angle) * v - angle * np.sin(angle) * y, abs=1e-7)


@pytest.mark.parametrize(("p", "d"), [(5, 2), (12, 3)])
def test_uniform_systems_have_the_exact_fourth_moment(p, d):
    y = manifold(p, d).sample(np.random.default_rng(6), systems=(40_000,))
    fourth = (y**4).mean((1, 2))
    exact = 3 * (p - 1) / (p + 1)
    error = fourth.std() / np.sqrt(len(fourth))
    assert abs(fourth.mean() - exact) < 4.5 * error and error < 0.005
    # Exchangeable with covariance -d/(P - 1), for every law on the manifold.
    assert (y[:, 0] * y[:, 1]).sum(1).mean() == pytest.approx(-d / (p - 1), abs=0.03)
    assert ((y**2).sum(2)).max() <= p - 1 + 1e-9


def test_a_simplex_is_rigid():
    y = manifold(4, 3).sample(np.random.default_rng(7))
    gaps = ((y[:, None] - y) ** 2).sum(-1)[np.triu_indices(4, 1)]
    assert gaps == pytest.approx(8.0, abs=1e-13)
    free = manifold(5, 3).sample(np.random.default_rng(7))
    assert np.ptp(((free[:, None] - free) ** 2).sum(-1)[np.triu_indices(5, 1)]) > 0.1


def test_too_few_particles_are_refused_and_a_simplex_warns():
    with pytest.raises(InputError, match="n_particles must exceed the dimension 4"):
        CenteredStiefel(4, 4)
    with pytest.warns(UserWarning, match="rigid simplex"):
        CenteredStiefel(5, 4)
    with pytest.raises(InputError, match="retraction"):
        CenteredStiefel(5, 2).retract(np.zeros((5, 2)), method="cayley")
