"""Moment-matched particles: exact moments, the right law (which moments cannot see), orders, policies, refusals."""

import warnings

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore import references
from unifiedscore.errors import InputError
from unifiedscore.fields import Smoothed
from unifiedscore.samplers import CenteredStiefel, ManifoldChain, moment_matched

CENTERS = np.array([[1.2, 0.3], [-1.0, -0.8], [0.4, 1.0], [-0.3, -1.4]])
FACTOR, MEAN = np.array([[1.0, 0.0], [0.9, 0.5]]), np.array([0.2, -0.1])


def gradient(z):
    w = np.exp(-2 * ((z[..., None, :] - CENTERS) ** 2).sum(-1))
    return 4 * (z - (w / w.sum(-1, keepdims=True)) @ CENTERS)


def run(chain, force, rng, *, systems, time):
    state = chain.start(chain.manifold.sample(rng, systems=(systems,)), rng)
    for _ in range(round(time / chain.step)):
        state = chain.advance(state, force, rng)
    return state.y


def simplex(p, d):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CenteredStiefel(p, d)


def test_pull_back_is_the_derivative_of_the_energy_and_the_transposed_one_is_not():
    corners = np.sqrt(3) * np.array([[0.5**0.5, 6**-0.5], [-(0.5**0.5), 6**-0.5], [0, -2 * 6**-0.5]])
    turn = lambda t: corners @ np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    energy = lambda t: ((MEAN + turn(t) @ FACTOR.T) ** 4).sum() / 4
    h = 1e-5
    slope = (energy(0.3 + h) - energy(0.3 - h)) / (2 * h)
    velocity = (turn(0.3 + h) - turn(0.3 - h)) / (2 * h)
    force = (MEAN + turn(0.3) @ FACTOR.T) ** 3
    assert slope == pytest.approx(1.3131902042, abs=1e-8)
    assert ((force @ FACTOR) * velocity).sum() == pytest.approx(slope, abs=1e-8)
    assert ((force @ FACTOR.T) * velocity).sum() == pytest.approx(-6.3495335174, abs=1e-8)


def test_quadratic_potential_has_no_projected_force_but_a_transposed_one_has():
    a, c = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([0.3, 0.0])
    m = simplex(3, 2)
    from unifiedscore.references.small_systems import triangle

    y = triangle(0.3)
    force = (MEAN + y @ FACTOR.T - c) @ a
    assert np.abs(m.project(y, force @ FACTOR)).max() < 1e-14
    assert np.abs(m.project(y, force @ FACTOR.T)).max() == pytest.approx(1.8306328646, abs=1e-9)
    m, rng = CenteredStiefel(9, 2), np.random.default_rng(0)
    y = m.sample(rng)
    assert np.abs(m.project(y, ((MEAN + y @ FACTOR.T - c) @ a) @ FACTOR)).max() < 1e-14


@pytest.mark.parametrize("scheme", ["euler-maruyama", "leimkuhler-matthews", "geodesic-leimkuhler-matthews"])
def test_chains_sample_the_invariant_law_of_their_own_step(scheme):
    """Against the transfer operator at the same step: no bias is left, so a wrong constant in a scheme is seen."""
    slope, cube = (lambda y: 2 * y**2 + 2 * y**3), (lambda y: y**3)
    h, systems = 0.1, 30_000
    y = run(ManifoldChain(CenteredStiefel(3, 1), h, scheme), slope, np.random.default_rng(1), systems=systems, time=4)
    value = (y**3).mean((1, 2))
    expected = references.chain_average(scheme, slope, cube, h, angles=41, noise=40)
    error = value.std() / np.sqrt(systems)
    assert abs(value.mean() - expected) < 4.5 * error
    # The three laws are farther apart than that.
    others = [
        references.chain_average(s, slope, cube, h, angles=31, noise=30)
        for s in references.CIRCLE_SCHEMES
        if s != scheme
    ]
    assert min(abs(other - expected) for other in others) > 2 * error


@pytest.mark.parametrize("retraction", ["polar", "qr"])
def test_triangles_follow_the_gibbs_law_and_a_transposed_pull_back_does_not(retraction):
    chain = ManifoldChain(simplex(3, 2), 0.01, "leimkuhler-matthews", retraction)
    values, wrong = [], []
    for pulled, into in ((FACTOR, values), (FACTOR.T, wrong)):
        y = run(
            chain, lambda y, m=pulled: gradient(MEAN + y @ FACTOR.T) @ m, np.random.default_rng(2), systems=2000, time=4
        )
        z = MEAN + y @ FACTOR.T
        # Moments see nothing.
        assert chain.manifold.distance(y).max() < 1e-14
        into.append((z[..., 0] * z[..., 1] ** 2).mean(1))
    right, mistaken = values[0], wrong[0]
    error = right.std() / np.sqrt(len(right))
    assert abs(right.mean() + 0.34823) < 4.5 * error + 0.005
    assert abs(mistaken.mean() + 0.0757) < 4.5 * error + 0.005
    assert abs(mistaken.mean() + 0.34823) > 20 * error


def test_polar_chains_do_not_depend_on_the_factor():
    rng = np.random.default_rng(3)
    chain = ManifoldChain(CenteredStiefel(8, 2), 0.02)
    y, noise = chain.manifold.sample(rng), rng.standard_normal((12, 8, 2))
    turn, _ = np.linalg.qr(rng.standard_normal((2, 2)))
    results = []
    for q, transposed in ((np.eye(2), False), (turn, False), (np.eye(2), True), (turn, True)):
        factor = FACTOR @ q
        from unifiedscore.samplers import ChainState

        state = ChainState(y @ q, noise[0] @ q)
        for xi in noise[1:]:
            pulled = gradient(MEAN + state.y @ factor.T) @ (factor.T if transposed else factor)
            state = chain.advance_with(state, pulled, noise=xi @ q)
        results.append(MEAN + state.y @ factor.T)
    assert np.abs(results[0] - results[1]).max() < 1e-12
    assert np.abs(results[2] - results[3]).max() > 0.01


@pytest.mark.parametrize("scheme", ["euler-maruyama", "leimkuhler-matthews"])
def test_uniform_law_is_kept_at_a_large_step(scheme):
    y = run(ManifoldChain(CenteredStiefel(6, 2), 0.5, scheme, "qr"), lambda y: 3.0 * y, np.random.default_rng(4),
            systems=20_000, time=3)  # fmt: skip
    value = (y**4).mean((1, 2))
    assert abs(value.mean() - references.fourth_moment(6)) < 4.5 * value.std() / np.sqrt(len(value))


def test_overlap_decays_with_the_finite_particle_constant():
    p, d, h = 6, 1, 0.02
    chain, rng = ManifoldChain(CenteredStiefel(p, d), h, "euler-maruyama"), np.random.default_rng(5)
    start = chain.manifold.sample(rng, systems=(20_000,))
    state = chain.start(start, rng)
    for _ in range(25):
        state = chain.advance(state, np.zeros_like, rng)
    overlap = (state.y * start).sum((1, 2)) / (p * d)
    error = overlap.std() / np.sqrt(len(overlap))
    assert abs(overlap.mean() - references.euler_contraction(p, d, h) ** 25) < 4.5 * error
    assert abs(overlap.mean() - np.exp(-0.5)) > 20 * error


NOISE = us.Noise("fresh_antithetic", draws=4)
SETTINGS = {"noise_level": 0.3, "smoothing": 0.2, "noise": NOISE, "step": 0.01, "n_steps": 40}


def data(d=2, n=30, dtype=np.float64):
    rng = np.random.default_rng(6)
    return (rng.normal(size=(n, d)) @ np.triu(rng.normal(size=(d, d)) + 2 * np.eye(d)) + 5).astype(dtype)


@pytest.mark.parametrize("retraction", ["polar", "qr"])
@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_moments_are_exact_at_every_step(dtype, bound, retraction):
    points = data(dtype=dtype)
    result = us.sample_moment_matched(
        points, 25, retraction=retraction, thin=10, rng=np.random.default_rng(0), **SETTINGS
    )
    assert result.samples.dtype == dtype and result.samples.shape == (25, 2)
    assert result.moment_error.shape == (41,) and result.moment_error.max() < bound
    wide = np.asarray(points, dtype=float)
    covariance = np.cov(wide.T, bias=True) + 0.09 * np.eye(2)
    for frame in result.trajectory.astype(float):
        assert np.abs(frame.mean(0) - wide.mean(0)).max() < 10 * bound
        assert np.abs(np.cov(frame.T, bias=True) - covariance).max() < 10 * bound * np.abs(covariance).max()
    assert result.trajectory.shape == (5, 25, 2)
    assert np.array_equal(result.trajectory[-1], result.samples)
    assert result.overlap[0] == pytest.approx(1) and 0 < result.overlap[-1] < 0.99
    assert result.energy_steps.tolist() == [0, 10, 20, 30, 40] and result.settings["time"] == pytest.approx(0.4)


def test_energies_are_those_of_the_frames_however_many_are_taken_at_once(monkeypatch):
    run = lambda: us.sample_moment_matched(data(), 25, thin=1, rng=np.random.default_rng(0), **SETTINGS)
    sizes, potential = [], Smoothed.potential

    def spy(self, x):
        sizes.append(len(x))
        return potential(self, x)

    monkeypatch.setattr(Smoothed, "potential", spy)
    whole = run()
    assert sizes == [41 * 25] and whole.energy.shape == whole.energy_steps.shape == (41,)
    sizes.clear()
    monkeypatch.setattr(moment_matched, "rows_within", lambda numbers: 4)
    some = run()
    assert sizes == [4 * 25] * 10 + [25]
    np.testing.assert_allclose(some.energy, whole.energy, rtol=1e-12)
    # One more particle system under the same noise: its energy is the mean of V over the frame.
    noise = np.random.default_rng(0).spawn(5)[4].standard_normal((2, 2))
    score = us.SmoothedScore(data(), 0.3, SETTINGS["smoothing"], noise=np.concatenate([noise, -noise]))
    np.testing.assert_allclose(whole.energy, [-score.potential(frame).mean() for frame in whole.trajectory], rtol=1e-9)


def test_the_sampler_pulls_its_force_back_by_the_factor(monkeypatch):
    """The force that the chain gets is the derivative of sum V(mean + L y_i), for a factor that is not symmetric."""
    seen, advance = [], ManifoldChain.advance

    def spy(self, state, force, rng):
        seen.append((state.y, force(state.y)))
        return advance(self, state, force, rng)

    monkeypatch.setattr(ManifoldChain, "advance", spy)
    options = SETTINGS | {"smoothing": 0.0, "n_steps": 1}
    result = us.sample_moment_matched(data(), 10, rng=np.random.default_rng(0), **options)
    (y, force), factor = seen[0], np.linalg.cholesky(result.covariance)
    score, h = us.SmoothedScore(data(), 0.3, 0.0), 1e-5
    direction = np.random.default_rng(1).standard_normal(y.shape)
    energy = lambda at: -score.potential(result.mean + at @ factor.T).sum()
    slope = (energy(y + h * direction) - energy(y - h * direction)) / (2 * h)
    assert (force * direction).sum() == pytest.approx(slope, rel=1e-6)
    assert abs(factor[0, 1] - factor[1, 0]) > 0.1


@pytest.mark.parametrize("policy", ["fresh", "shared"])
@pytest.mark.parametrize("estimator", ["dense", "near"])
def test_the_force_is_that_of_the_smoothed_score_with_the_noise_as_given(monkeypatch, policy, estimator):
    """Noise that does not sum to zero: the linear term s * mean(noise)/delta^2 has its sign and size."""
    seen, advance = [], ManifoldChain.advance

    def spy(self, state, force, rng):
        seen.append((state.y, force(state.y)))
        return advance(self, state, force, rng)

    monkeypatch.setattr(ManifoldChain, "advance", spy)
    noise = np.random.default_rng(7).normal(size=(1, 10, 4, 2) if policy == "fresh" else (4, 2))
    options = SETTINGS | {"n_steps": 1, "noise": us.Noise(policy, given=noise), "estimator": estimator}
    result = us.sample_moment_matched(data(), 10, rng=np.random.default_rng(0), **options)
    (y, force), factor = seen[0], np.linalg.cholesky(result.covariance)
    tuples = noise[0] if policy == "fresh" else noise
    field = us.Smoothed(us.KernelScore(us.Gaussian(0.3), data()), 0.2, noise=tuples.reshape(-1, 2)[:4])
    expected = -field.evaluate(result.mean + y @ factor.T, noise=tuples) @ factor
    assert np.abs(force - expected).max() < 1e-10 * np.abs(expected).max()


def test_the_target_covariance_is_a_setting():
    result = us.sample_moment_matched(data(), 25, target="data", rng=np.random.default_rng(0), **SETTINGS)
    assert np.cov(result.samples.T, bias=True) == pytest.approx(np.cov(data().T, bias=True), abs=1e-12)


def test_estimators_and_factors_give_one_path():
    options = {**SETTINGS, "n_steps": 10}
    dense, near, every = (
        us.sample_moment_matched(data(), 20, rng=np.random.default_rng(1), **options, **extra).samples
        for extra in ({}, {"estimator": "near"}, {"estimator": us.Neighbours(20, 10)})
    )
    assert np.abs(near - dense).max() < 1e-9 and np.abs(every - dense).max() < 1e-9


@pytest.mark.parametrize("estimator", ["dense", "near"])
def test_the_number_of_threads_changes_no_path(monkeypatch, estimator):
    noise = us.Noise("fresh_antithetic", draws=8)
    options = SETTINGS | {"n_steps": 3, "noise": noise, "estimator": estimator}
    many = us.sample_moment_matched(data(), 3000, rng=np.random.default_rng(2), **options).samples
    for name in ("posterior.nearfield", "posterior.tiled", "samplers.noise"):
        monkeypatch.setattr(f"unifiedscore.{name}.threads", lambda: 1)
    one = us.sample_moment_matched(data(), 3000, rng=np.random.default_rng(2), **options).samples
    assert np.array_equal(many, one)


def test_without_smoothing_noise_is_neither_needed_nor_used():
    options = {**SETTINGS, "smoothing": 0.0, "n_steps": 5}
    results = [
        us.sample_moment_matched(data(), 20, rng=np.random.default_rng(2), **(options | {"noise": noise})).samples
        for noise in (None, us.Noise("fixed", draws=6))
    ]
    assert np.array_equal(*results)


@pytest.mark.parametrize("policy", ["fixed", "fixed_antithetic", "fresh", "fresh_antithetic", "shared", "population"])
def test_every_noise_policy_runs_with_exact_moments(policy):
    options = SETTINGS | {"noise": us.Noise(policy, draws=4)}
    result = us.sample_moment_matched(data(), 12, rng=np.random.default_rng(3), **options)
    assert result.moment_error.max() < 1e-13 and result.settings["noise_policy"] == policy


def test_shared_noise_without_antithesis_adds_a_constant_that_the_projection_removes():
    """The mean of a shared tuple shifts every gradient by one row."""
    noise = np.array([[0.3, -1.0], [0.8, 0.2], [-0.1, 0.4], [0.5, 0.9]])
    wide = SETTINGS | {"noise_level": 50.0, "step": 1.0, "n_steps": 3}
    rows = []
    for shift in (0.0, 1e-3):
        options = wide | {"noise": us.Noise("shared", given=noise + shift)}
        rows.append(us.sample_moment_matched(data(), 9, rng=np.random.default_rng(4), **options).samples)
    # With a wide kernel k hardly depends on the noise: the linear term is all there is.
    assert np.abs(rows[0] - rows[1]).max() < 1e-4


def test_particles_reach_the_tilted_law_and_not_the_untilted_one():
    x = np.array([[-1.2], [0.1], [1.7], [2.0]])
    score = us.SmoothedScore(x, 0.3, 1.0, noise="population")
    law = us.MomentMatchedTilt(score, us.solve_tilt(score))
    z = np.linspace(-6, 8, 2001)
    mass = np.exp(law.log_density(z[:, None])) * (z[1] - z[0])
    expected = mass @ np.cos(z)
    values = []
    for seed in range(6):
        options = {"noise_level": 0.3, "smoothing": 1.0, "noise": "population"}
        rng = np.random.default_rng(seed)
        result = us.sample_moment_matched(x, 400, step=0.01, n_steps=500, start="uniform", rng=rng, **options)
        values.append(np.cos(result.samples).mean())
    spread = np.std(values, ddof=1) / np.sqrt(6)
    assert abs(np.mean(values) - expected) < 6 * spread + 0.01 and spread < 0.02
    untilted = np.exp(score.potential(z[:, None]))
    assert abs(untilted @ np.cos(z) / untilted.sum() - expected) > 0.1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_particles": 2}, "n_particles must exceed"),
        ({"noise": None}, "smoothing = 0"),
        ({"noise": "fixed"}, "noise must be a Noise"),
        ({"noise": "population", "estimator": "near"}, "population"),
        ({"noise_level": 0.0}, "noise_level"),
        ({"step": -1.0}, "step"),
        ({"step": 0.0}, "step"),
        ({"smoothing": -0.1}, "smoothing"),
        ({"scheme": "heun"}, "scheme"),
        ({"retraction": "cayley"}, "retraction"),
        ({"estimator": "magic"}, "estimator"),
        ({"target": "whatever"}, "target"),
        ({"n_steps": 0}, "n_steps"),
        ({"start": np.ones((20, 2))}, "singular covariance"),
        ({"start": "nowhere"}, "uniform"),
        ({"rng": 3}, "rng"),
    ],
)
def test_bad_input_is_refused_with_the_name(changes, words):
    arguments = {"n_particles": 20, "rng": np.random.default_rng(0)} | SETTINGS | changes
    with pytest.raises(InputError, match=words):
        us.sample_moment_matched(data(), **arguments)


def test_unstable_steps_constant_directions_and_simplices_warn():
    with pytest.warns(UserWarning, match=r"step \* lambda_max = .* stability limit 2"):
        us.sample_moment_matched(data(), 20, rng=np.random.default_rng(0), **(SETTINGS | {"step": 0.1, "n_steps": 1}))
    flat = data() * [1.0, 0.0]
    with pytest.warns(UserWarning, match="constant"):
        us.sample_moment_matched(flat, 20, rng=np.random.default_rng(0), **SETTINGS)
    with pytest.raises(InputError, match="positive definite"):
        us.sample_moment_matched(flat, 20, target="data", rng=np.random.default_rng(0), **SETTINGS)
    with pytest.warns(UserWarning, match="rigid simplex"):
        us.sample_moment_matched(data(), 3, rng=np.random.default_rng(0), **SETTINGS)


def test_whitening_gives_unit_spectrum_and_comes_back():
    points = data(d=4, n=50)
    white = us.whiten(points)
    assert np.abs(white.data.covariance_matrix - np.eye(4)).max() < 1e-12
    assert white.restore(white.data.points) == pytest.approx(points, abs=1e-11)
    assert white.apply(points) == pytest.approx(white.data.points, abs=1e-12)
    flat = points * [1, 1, 0, 1]
    assert us.whiten(flat).data.dimension == 3
    floored = us.whiten(points, floor=10.0, keep_floored=True)
    assert floored.spectrum.max() <= 1 + 1e-12 and floored.spectrum.min() < 1
    with pytest.raises(InputError, match="variance"):
        us.whiten(points, floor=1e9)
