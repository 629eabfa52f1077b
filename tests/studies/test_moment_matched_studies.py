"""The measurements of the moment-matched studies against golden numbers and second routes, one cell at a time."""

from pathlib import Path

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.references.small_systems import triangle
from unifiedscore.study.discover import discover, load_module

ROOT = Path(__file__).parents[2]
STUDIES = {item.study.name: item.study for item in discover([ROOT / "studies" / "moment_matched"]).studies}


def module(name):
    return load_module(ROOT / "studies" / "moment_matched" / f"study_{name}.py")


def measured(study, **cell):
    return STUDIES[f"moment_matched_{study}"].measure(cell, np.random.default_rng(0))


# Cells that take well under a second; the quality study has its own test below.
CELLS = {
    "identities": {"dimension": 2, "seed": 0},
    "limit": {"n_particles": 20, "seed": 0},
    "particles": {"case": "neighbours", "seed": 0},
    "smoothing": {"data": "line", "smoothing": 1.0, "seed": 0},
    "steps": {"scheme": "euler-maruyama", "step": 0.04, "seed": 0},
    "bounds": {"dimension": 2, "seed": 0},
    "modes": {"case": "exact", "n_particles": 20, "seed": 0},
    "classifier": {"smoothing": np.inf, "seed": 0},
    "neighbours": {"seed": 0},
    "errors": {"metric": "particles", "seed": 0},
    "plane": {"n_particles": 30, "seed": 0},
    "circle": {"systems": "one", "smoothing": 0.2, "seed": 0},
    "small": {"shape": 0, "seed": 0},
}


@pytest.mark.parametrize("name", CELLS)
def test_every_variable_of_a_cell_is_returned(name):
    assert set(STUDIES[f"moment_matched_{name}"].variables) <= set(measured(name, **CELLS[name]))


def test_euler_has_the_golden_bias():
    assert measured("steps", scheme="euler-maruyama", step=0.04)["bias"] == pytest.approx(0.4060204706 - 0.3932363025)


@pytest.mark.parametrize(("p", "fourth", "cosine"), [(20, 2.448663, 0.072268), (40, 2.478693, 0.079114)])
def test_finite_particle_numbers_have_the_golden_moments(p, fourth, cosine):
    found = measured("limit", n_particles=p)
    assert found["fourth"] == pytest.approx(fourth, abs=1e-6)
    assert found["cosine"] == pytest.approx(cosine, abs=1e-6)


def test_moments_across_dimension_agree_with_uniform_systems_where_the_potential_is_quadratic(monkeypatch):
    """With V quadratic all of its formulas must give the moments of a uniform Stiefel matrix."""
    study = module("moments")
    monkeypatch.setattr(study, "POTENTIAL", lambda y: 0.5 * y**2)
    for p in (12, 48):
        fourth = 3 * (p - 1) / (p + 1)
        np.testing.assert_allclose(study.predicted(p), [0, fourth, fourth / 3, fourth], atol=5e-4)  # of the quotient


def test_moments_across_dimension_see_a_force_of_the_wrong_sign(monkeypatch):
    study = module("moments")
    values, _ = study.sampled(12, 3, np.random.default_rng(0))
    assert np.abs(values - study.predicted(12)).max() < 0.25
    monkeypatch.setattr(study, "SLOPE", lambda y: -(0.6 * y**2 + y**3 + 1.6 * np.sin(2 * y)))
    values, _ = study.sampled(12, 3, np.random.default_rng(0))
    assert np.abs(values - study.predicted(12)).max() > 0.5


def test_scikit_learn_gets_exactly_the_wanted_covariance():
    study = module("classifier")
    classes, queries, labels = study.split(np.random.default_rng(0))
    assert len(labels) == len(queries) and [len(points) for points in classes][:3] == [89, 91, 88]
    _, found = study.scikit_learn(classes, queries)
    wanted = [
        us.GaussianMixture(p.mean(0)[None], np.cov(p.T, bias=True) + study.DELTA**2 * np.eye(study.LATENT))
        for p in classes
    ]
    expected = study.posteriors([law.log_density(queries) for law in wanted], [len(p) for p in classes])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_a_smoothed_potential_is_a_paraboloid_far_out():
    """What the classifier does at infinite smoothing is the limit of what it does at large smoothing."""
    study = module("classifier")
    points, z = np.random.default_rng(1).standard_normal((30, study.LATENT)), np.zeros((1, study.LATENT))
    half = np.random.default_rng(2).standard_normal((study.DRAWS // 2, study.LATENT))
    noise = np.concatenate([half, -half])
    centre = points[np.argmax(points @ noise.T, axis=0)].mean(0)
    score = us.SmoothedScore(points, study.DELTA, 1e5, noise=noise)
    np.testing.assert_allclose(score(z), (centre - z) / study.DELTA**2, atol=1e-4)


def test_known_masses_of_separated_modes_are_their_weights():
    study = module("modes")
    np.testing.assert_allclose(study.known_masses(study.LINE[0], study.LINE[1], 0.1), study.LINE[1], atol=1e-4)
    np.testing.assert_allclose(study.known_masses(study.PLANE[0], study.PLANE[1], 0.1), study.PLANE[1], atol=1e-4)


def test_sampled_masses_are_the_exact_ones_and_three_particles_have_others(monkeypatch):
    study, rng = module("modes"), np.random.default_rng(0)
    monkeypatch.setattr(study, "PARTICLES", 4000)
    found, overlap = study.sampled_masses(*study.LINE, 20, rng)
    exact, limit = study.exact_masses(20, 0.02)
    assert abs(overlap) < 0.05
    np.testing.assert_allclose(found, exact, atol=0.03)
    np.testing.assert_allclose(limit, study.known_masses(*study.LINE), atol=2e-3)
    assert abs(study.exact_masses(3, 0.02)[0][2] - limit[2]) > 0.05


@pytest.mark.parametrize(("scheme", "golden"), [("euler-maruyama", 1.162791), ("leimkuhler-matthews", 1.129199)])
def test_the_predicted_temperature_is_golden_and_its_chain_has_it(scheme, golden):
    study = module("particles")
    assert study.predicted(scheme, 0.05, 8) == pytest.approx(golden, abs=1e-6)
    # 16 x 6 nearly independent averages of 4000 squares: a standard error of .0023, five of them.
    found = np.mean([study.temperature(scheme, 0.05, 8, 4000, np.random.default_rng(k)) for k in range(16)])
    assert found == pytest.approx(golden, abs=0.012)


def test_bounds_hold_and_their_mutants_do_not():
    found = measured("bounds", dimension=2, seed=0)
    eps = np.finfo(float).eps
    for name in ("temperature", "sharp"):
        assert found[name] <= 50 * eps * found["temperature_scale"]
    for name in ("energy", "hull", "row", "accepted"):
        assert found[name] <= 1e-10
    for name in ("temperature_half", "sharp_half", "energy_far", "energy_fresh", "hull_noisy", "row_less", "silent"):
        assert found[name] > 1e-2, name
    assert found["threshold"] == pytest.approx(2.0, abs=0.02) and found["flagged"] > 4


def test_the_nearest_energy_is_what_its_map_descends():
    study, rng = module("bounds"), np.random.default_rng(3)
    x, z, noise = rng.standard_normal((9, 2)), rng.standard_normal((1, 2)), rng.standard_normal((4, 2))
    step = 1e-6 * np.eye(2)
    slope = [study.nearest_energy(z + e, x, noise) - study.nearest_energy(z - e, x, noise) for e in step[:, None]]
    nearest = x[((z[:, None] + noise)[:, :, None] - x).__pow__(2).sum(-1).argmin(-1)].mean(1)
    np.testing.assert_allclose(np.ravel(slope) / 2e-6, np.ravel(z - nearest), atol=1e-6)


def test_the_law_of_triangles_is_that_of_a_second_route_and_the_transposed_one_is_another():
    study = module("small")
    values = []

    def potential(z):
        return -study.SCORE.potential(z.reshape(-1, 2)).reshape(z.shape[:-1])

    def gradient(z):
        return -study.SCORE(z.reshape(-1, 2)).reshape(z.shape)

    for angles, mass in (us.references.circle_law(potential, study.MEAN, study.FACTOR, cells=600),
                         us.references.transposed_law(gradient, study.MEAN, study.FACTOR, cells=600)):  # fmt: skip
        z = study.MEAN + triangle(angles) @ study.FACTOR.T
        values.append(float(mass @ study.MIXED(z).mean(-1)))
    assert values[0] == pytest.approx(study.triangle_law(), abs=1e-4)
    assert values[1] == pytest.approx(0.509, abs=2e-3)
    # Half a standard deviation of one system around each; the sampler is at the first.
    assert abs(study.triangles(np.random.default_rng(0))[0] - values[0]) < 0.2
    assert abs(study.transposed_triangles(np.random.default_rng(0))[0] - values[1]) < 0.1


def test_the_law_in_the_plane_has_the_wanted_moments(monkeypatch):
    study = module("plane")
    one = {f"{a}{b}": lambda y, a=a, b=b: y[..., a] * y[..., b] for a in (0, 1) for b in (0, 1)}
    monkeypatch.setattr(study, "STATISTICS", {name: ("", f) for name, f in one.items()})
    found, mean, root = study.laws.__wrapped__()
    np.testing.assert_allclose([found[name] for name in one], np.eye(2).ravel(), atol=1e-6)
    np.testing.assert_allclose(mean, study.DATA.mean(0))
    np.testing.assert_allclose(root @ root.T, np.cov(study.DATA.T, bias=True) + study.DELTA**2 * np.eye(2))
    # Without multipliers the law has other moments.
    assert abs(found["00_untilted"] - 1) > 0.1


def test_a_kernel_density_is_given_exact_moments():
    baselines, rng = load_module(ROOT / "studies" / "moment_matched" / "_baselines.py"), np.random.default_rng(0)
    x = rng.normal(size=(40, 3)) @ np.tril(np.ones((3, 3))) + 5
    z = baselines.kernel_exact(x, 0.3, 60, rng)
    np.testing.assert_allclose(z.mean(0), x.mean(0), atol=1e-12)
    np.testing.assert_allclose(np.cov(z.T, bias=True), baselines.moments(x, 0.3), atol=1e-12)


def test_all_samplers_of_a_comparison_evaluate_as_many_scores(monkeypatch):
    baselines, rng = load_module(ROOT / "studies" / "moment_matched" / "_baselines.py"), np.random.default_rng(0)
    x, run = rng.normal(size=(20, 2)), {"steps": 7, "draws": 4, "rng": rng}
    noise, drawn = us.samplers.noise.draw_noise, []

    def counted(*args):
        drawn.append(args[2] * args[1])
        return noise(*args)

    for home in ("unifiedscore.samplers.noise.draw_noise", "unifiedscore.samplers.draw_noise"):
        monkeypatch.setattr(home, counted)
    baselines.matched(x, 0.3, 0.4, 15, step=0.1, **run)
    baselines.untilted(x, 0.3, 0.4, 15, step=0.1, **run)
    assert drawn == [4 * 15] * 14
    assert len(baselines.closed_form(x, 0.4, 15, **run)) == 15


def test_nearly_all_that_the_near_field_may_neglect_is_neglected():
    study = module("neighbours")
    near, short = study.neglected(np.random.default_rng(0))
    assert 0.9 < near <= 1.0 < 100 < short


def test_the_squared_transport_of_uniform_samples_is_known():
    study, rng = module("errors"), np.random.default_rng(0)
    assert study.squared_transport(7, 7) == pytest.approx(1 / 24)
    values = [us.metrics.sliced_wasserstein2(rng.random((3, 1)), rng.random((8, 1)), n_directions=1, rng=rng) ** 2
              for _ in range(4000)]  # fmt: skip
    assert np.mean(values) == pytest.approx(study.squared_transport(3, 8), abs=5 * np.std(values) / np.sqrt(4000))


def test_intervals_cover_their_mean_and_no_other():
    study, rng = module("errors"), np.random.default_rng(0)
    values = rng.standard_normal((2000, 12))
    # Five standard errors of a share of .95 in 2000.
    assert study.covers(values, 0.0) == pytest.approx(0.95, abs=0.025)
    assert study.covers(values, 1.0) < 0.2


def test_the_predicted_neighbour_bias_is_that_of_the_draws():
    study, rng = module("neighbours"), np.random.default_rng(0)
    x = rng.standard_normal((400, 3))
    q = 0.5 * rng.standard_normal(3)
    found, size, _ = study.bias(x, q, 50, rng)
    assert found == pytest.approx(size, rel=0.35)
    # 1/L - 1/(N - K): exactly.
    rest = 400 - study.NEAREST
    assert study.bias(x, q, 100, rng)[1] / size == pytest.approx((1 / 100 - 1 / rest) / (1 / 50 - 1 / rest))


def test_the_quality_study_draws_every_method_and_keeps_its_images(monkeypatch):
    study = module("quality")
    monkeypatch.setattr(study, "SETTINGS", {name: (*row[:2], 20, 60) for name, row in study.SETTINGS.items()})
    found = study.measure({"dataset": "digits", "smoothing": 0.0, "seed": 0}, np.random.default_rng(0))
    assert np.isfinite(found["images"]).all() and np.isfinite(found["distance"]).all()
    assert found["moment_error"] < 1e-12 < 1e-3 < found["moment_error_kernel"]
    # Without smoothing closed-form diffusion returns training points.
    assert found["novelty"][study.METHODS.index("closed_form")] < 1e-6
