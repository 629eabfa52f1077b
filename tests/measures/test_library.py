"""Named pairs and sets: golden numbers, shapes, supports, and errors that help."""

import numpy as np
import pytest

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.measures import load_measure, load_pair, measure_names, pair_names
from unifiedscore.measures.carried import CARRIED

PLANAR = ["two_moons", "checkerboard", "spirals"]


def kappa(p, q) -> float:
    """d E<x,y>^2 / R0^4, x ~ p and y ~ q independent, R0^2 the average of the two mean squared norms."""
    first, second = p.reduced(), q.reduced()
    norm = 0.5 * (np.trace(first.second_moment) + np.trace(second.second_moment))
    return first.ambient_dimension * first.squared_inner_product(second) / norm**2


@pytest.mark.parametrize(
    ("dimension", "expected"), [(16, 3.8996), (64, 4.1208), (256, 2.3921), (1024, 1.4136), (16384, 1.0274)]
)
def test_ring_kappa_pairs_a_target_with_a_model_point(dimension, expected):
    assert kappa(*load_pair("ring_mog", dimension=dimension)) == pytest.approx(expected, abs=5.1e-5)


@pytest.mark.parametrize(("dimension", "expected"), [(16, 1.41667), (256, 11.41667), (4096, 171.41667)])
def test_raw_kappa_pairs_two_points_of_one_law(dimension, expected):
    target, model = load_pair("raw_mog", dimension=dimension)
    assert kappa(target, target) == pytest.approx(expected, abs=5e-6)
    # Orthogonal spans: across the pair nothing grows, d (3 d) / (2 d)^2.
    assert kappa(target, model) == pytest.approx(0.75, rel=1e-12)


@pytest.mark.parametrize("dimension", [2, 5, 2**20])
def test_ring_norms_are_those_of_the_table(dimension):
    target, model = load_pair("ring_mog", dimension=dimension)
    norms = [np.trace(law.reduced().second_moment) for law in (target, model)]
    np.testing.assert_allclose(norms, [9 + 0.25 * dimension, 6.25 + 0.25 * dimension], rtol=1e-13)


def test_ring_geometry():
    target, model = load_pair("ring_mog", dimension=2)
    np.testing.assert_allclose(target.centers[:2], [[3, 0], [1.5, 1.5 * np.sqrt(3)]], atol=1e-15)
    np.testing.assert_allclose(model.centers[0], [2.5 * np.cos(0.5), 2.5 * np.sin(0.5)])
    np.testing.assert_allclose([target.mean, model.mean], 0, atol=1e-15)


def test_shifted_ring_differs_by_a_translation():
    target, model = load_pair("ring_mog_shifted", dimension=4)
    np.testing.assert_allclose(model.mean - target.mean, [1, 0, 0, 0], atol=1e-15)
    np.testing.assert_allclose(model.covariance_matrix, target.covariance_matrix, atol=1e-14)


def test_norms_ring_differs_by_its_spread():
    target, model = load_pair("ring_mog_norms", dimension=4)
    np.testing.assert_array_equal(model.centers, target.centers)
    np.testing.assert_allclose(model.second_moment - target.second_moment, 0.11 * np.eye(4), atol=1e-14)


def test_raw_centres_grow_with_the_dimension():
    target, model = load_pair("raw_mog", dimension=100, centre_scale=0.5)
    centers = np.concatenate([target.centers, model.centers])
    np.testing.assert_allclose(centers @ centers.T, 25 * np.eye(12), atol=1e-12)


@pytest.mark.parametrize("name", [*PLANAR, "swiss_roll"])
def test_generated_sets_are_reproducible_and_have_their_dimension(name):
    first, second = (load_measure(name, n=300, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.points, second.points)
    assert first.points.shape == (300, 3 if name == "swiss_roll" else 2)


def test_noiseless_moons_lie_on_their_circles(rng):
    x, y = load_measure("two_moons", n=400, rng=rng, noise=0.0).points.T
    upper = (np.abs(np.hypot(x, y) - 1) < 1e-12) & (y >= -1e-12)
    lower = (np.abs(np.hypot(x - 1, y - 0.5) - 1) < 1e-12) & (y <= 0.5 + 1e-12)
    assert (upper | lower).all()
    assert upper.any() and lower.any()


def test_checkerboard_fills_black_cells_alone(rng):
    points = load_measure("checkerboard", n=2000, rng=rng).points
    cell = np.floor(points + 2).astype(int)
    assert (cell.sum(axis=1) % 2 == 0).all()
    assert len(np.unique(cell, axis=0)) == 8
    assert np.abs(points).max() <= 2


def test_noiseless_spirals_and_roll_obey_their_equations(rng):
    x, y = load_measure("spirals", n=300, rng=rng, noise=0.0).points.T
    radius = np.hypot(x, y)
    phase = (np.arctan2(y, x) - 2 * np.pi * 1.5 * (radius - 0.25) / 2.75) / np.pi
    np.testing.assert_allclose(phase, np.round(phase), atol=1e-9)  # two arms, half a turn apart
    x, _, z = load_measure("swiss_roll", n=300, rng=rng, noise=0.0).points.T
    u = 5 * np.hypot(x, z)
    np.testing.assert_allclose(5 * x, u * np.cos(u), atol=1e-9)


def test_twelve_points_are_a_regular_polygon():
    circle = load_measure("circle12", radius=2.0)
    np.testing.assert_allclose(circle.second_moment, 2 * np.eye(2), atol=1e-14)
    assert circle.size == 12


def test_gaussian_counterpart_has_the_first_two_moments(rng):
    target, model = load_pair("two_moons", n=20_000, rng=rng)
    np.testing.assert_allclose(model.mean, target.mean, atol=0.03)
    np.testing.assert_allclose(model.covariance_matrix, target.covariance_matrix, atol=0.03)


@pytest.mark.parametrize("name", [*PLANAR, "swiss_roll"])
def test_same_pair_is_two_different_draws(name, rng):
    target, model = load_pair(name, n=50, rng=rng, model="same")
    assert not np.isin(model.points, target.points).any()


def test_digits_split_by_class_and_by_writer():
    everything = load_measure("digits")
    assert everything.points.shape == (1797, 64)
    assert everything.points.max() == 1 and load_measure("digits", scaled=False).points.max() == 16
    assert sum(load_measure("digits", label=k).size for k in range(10)) == 1797
    target, model = load_pair("digits")
    np.testing.assert_array_equal(np.concatenate([target.points, model.points]), everything.points)
    zeros, _ = load_pair("digits", labels=(0, 8))
    np.testing.assert_array_equal(zeros.points, load_measure("digits", label=0).points)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("patch", [2, 8, 64])
def test_patches_grow_to_any_dimension(patch, colour):
    dimension = patch**2 * (3 if colour else 1)
    target, model = load_pair("image_patches", dimension=dimension, colour=colour, n=100)
    assert target.points.shape == model.points.shape == (100, dimension)
    assert 0 <= target.points.min() < target.points.max() <= 1
    assert len(np.unique(target.points, axis=0)) > 90


def test_a_patch_is_a_window_of_the_photograph():
    from sklearn.datasets import load_sample_image

    image = load_sample_image("flower.jpg") / 255
    points = load_measure("image_patches", patch=5, colour=True, photograph="flower", n=7).points
    # The lattice starts at row floor(rows / 2n), column 0.
    row = int(0.5 * (427 - 4) / 7)
    np.testing.assert_array_equal(points[0], image[row : row + 5, :5].ravel())
    grey = load_measure("image_patches", patch=5, photograph="flower", n=7).points
    np.testing.assert_allclose(grey[0], (image[row : row + 5, :5] @ [0.299, 0.587, 0.114]).ravel())


def test_the_patch_lattice_repeats_no_position():
    # Two different windows of a photograph practically never have the same mean to the last bit.
    points = load_measure("image_patches", patch=16, n=3000).points
    assert len(np.unique(points.mean(axis=1))) > 2900


def test_random_patches_need_only_a_generator(rng):
    assert load_measure("image_patches", n=10, rng=rng).size == 10


@pytest.mark.parametrize("name", ["ring", "moons", 3, "digit"])
def test_unknown_names_list_the_nearest(name):
    with pytest.raises(UnknownNameError, match="nearest"):
        load_pair(name, dimension=2)
    with pytest.raises(UnknownNameError, match="nearest"):
        load_measure(name)


def test_every_listed_name_loads():
    for names, load in ((measure_names(), load_measure), (pair_names(), load_pair)):
        for name in set(names) - {*CARRIED}:  # those of optional packages have a test of their own
            needs_rng = name in (*PLANAR, "swiss_roll")
            options = {"rng": np.random.default_rng(0), "n": 5} if needs_rng else {}
            load(name, **options, **({"dimension": 12} if name.endswith("mog") or "mog_" in name else {}))


@pytest.mark.parametrize(
    ("load", "name", "options", "message"),
    [
        (load_pair, "ring_mog", {}, "needs the parameter dimension"),
        (load_pair, "ring_mog", {"dimension": 1}, "at least 2"),
        (load_pair, "ring_mog", {"dimension": 2.5}, "integer"),
        (load_pair, "ring_mog", {"dimension": 2, "radus": 1.0}, "it takes: dimension, modes=6"),
        (load_pair, "ring_mog", {"dimension": 2, "std": -1.0}, "std"),
        (load_pair, "ring_mog", {"dimension": 2, "model_radius": np.nan}, "model_radius must be finite"),
        (load_pair, "ring_mog_shifted", {"dimension": 2, "shift": "right"}, "shift must be a real"),
        (load_measure, "circle12", {"angle": [1.0, 2.0]}, "angle must be a single number"),
        (load_pair, "raw_mog", {"dimension": 11}, "at least 12"),
        (load_pair, "digits", {"dimension": 63}, "64"),
        (load_pair, "digits", {"labels": (1, 2, 3)}, "two digits"),
        (load_pair, "image_patches", {"dimension": 65}, r"p\^2"),
        (load_pair, "image_patches", {"dimension": 64, "patch": 4}, "disagree"),
        (load_pair, "two_moons", {}, "rng"),
        (load_pair, "two_moons", {"rng": np.random.default_rng(0), "model": "other"}, "'same'"),
        (load_measure, "two_moons", {"rng": 0}, "Generator"),
        (load_measure, "digits", {"label": 10}, "between 0 and 9"),
        (load_measure, "image_patches", {"photograph": "cat"}, "'china'"),
        (load_measure, "image_patches", {"patch": 428}, "at most 427"),
        (load_measure, "image_patches", {"patch": 400, "n": 5000}, "n must be at most"),
    ],
)
def test_bad_parameters_are_named(load, name, options, message):
    with pytest.raises(InputError, match=message):
        load(name, **options)
