"""Networks as fields: the exact posterior mean of a mixture, wrapped as a network in every way, is the exact field."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.learned import Preconditioning, noise_levels, sample_denoiser
from unifiedscore.testing import check_field

torch = pytest.importorskip("torch")

LAW = us.GaussianMixture([[1.0, 0.3], [-0.8, 1.1], [0.2, -1.4]], [0.2, 0.4, 0.1], [0.5, 0.2, 0.3])
X = 1.3 * np.random.default_rng(0).normal(size=(7, 2))
TIMES = (0.05, 0.4, 0.93)
SCHEDULES = ("rectified_flow", "vp_cosine", "foellmer")
WAYS = [
    (name, convention)
    for name in ("denoiser", "noise", "score", "velocity")
    for convention in ("ve", "vp", "rectified_flow")
    if (name, convention) != ("velocity", "ve")
] + [("preconditioned", "ve"), ("plain", "ve")]


def posterior_mean(x, h):
    """E[y | y + h z = x] of the law, h (n,) per point, written out on tensors."""
    means, variances, weights = (torch.as_tensor(a, dtype=x.dtype) for a in (LAW.means, LAW.variances, LAW.weights))
    total = variances + h[:, None] ** 2
    gap = x[:, None] - means
    logs = torch.log(weights) - 0.5 * (gap**2).sum(-1) / total - torch.log(total)
    inner = means + (variances / total)[..., None] * gap
    return (torch.softmax(logs, 1)[..., None] * inner).sum(1)


class Exact(torch.nn.Module):
    """What a perfectly trained network of a parametrisation and a convention returns, in its own state and label."""

    def __init__(self, parametrisation, convention):
        super().__init__()
        self.parametrisation, self.convention = parametrisation, convention

    def forward(self, u, label):
        if self.parametrisation in ("preconditioned", "plain"):
            h = torch.exp(4 * label)[:, None]
            x = u * torch.sqrt(1 + h**2)
            denoiser = posterior_mean(x, h[:, 0])
            if self.parametrisation == "plain":
                return denoiser
            return (denoiser - x / (1 + h**2)) * torch.sqrt(1 + h**2) / h
        h = ((1 - label) / label if self.convention == "rectified_flow" else label)[:, None]
        alpha = {"ve": torch.ones_like(h), "vp": 1 / torch.sqrt(1 + h**2), "rectified_flow": 1 / (1 + h)}[
            self.convention
        ]
        denoiser = posterior_mean(u / alpha, h[:, 0])
        noise = (u / alpha - denoiser) / h
        return {
            "denoiser": denoiser,
            "noise": noise,
            "score": -noise / (alpha * h),
            "velocity": alpha * noise - alpha * h * denoiser if self.convention == "vp" else denoiser - noise,
        }[self.parametrisation]


def wrapped(parametrisation, convention, **options):
    module = Exact(parametrisation, convention)
    return us.LearnedDenoiser(module, dimension=2, parametrisation=parametrisation, convention=convention, **options)


def process(schedule):
    return us.TiltedProcess(LAW, us.QuadraticReward([0.1, 0.2], 0.1), schedule)


def centred(jacobian):
    return np.linalg.norm(jacobian - jacobian.transpose(0, 2, 1)) / np.linalg.norm(jacobian)


@pytest.mark.parametrize(("parametrisation", "convention"), WAYS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_parametrisation_is_the_exact_process_at_every_time_of_every_schedule(
    parametrisation, convention, schedule
):
    denoiser, exact = wrapped(parametrisation, convention), process(schedule)
    for t in TIMES:
        alpha, beta = exact.schedule.alpha(t), exact.schedule.beta(t)
        score = exact.base_score(X, t)
        np.testing.assert_allclose(denoiser.score(t, schedule=schedule)(X), score, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(
            denoiser.at(t, schedule=schedule)(X), (X + beta**2 * score) / alpha, rtol=1e-9, atol=1e-8
        )
        flow = denoiser.velocity(t, schedule=schedule)(X)
        np.testing.assert_allclose(flow, exact.velocity(X, t), rtol=1e-8, atol=1e-8)
        jacobian = denoiser.score(t, schedule=schedule).jacobian(X)
        np.testing.assert_allclose(jacobian, exact.base_score_field(t).jacobian(X), rtol=1e-8, atol=1e-7)
        assert centred(jacobian) < 1e-8


@pytest.mark.parametrize(("parametrisation", "convention"), WAYS)
def test_scale_and_mean_are_those_of_standardised_data(parametrisation, convention):
    """The network of the law of y serves 3 y + (5, -2), at three times the noise."""
    shift = np.array([5.0, -2.0])
    denoiser = us.LearnedDenoiser(
        Exact(parametrisation, convention), 3.0, shift, parametrisation=parametrisation, convention=convention
    )
    law = us.GaussianMixture(3 * LAW.means + shift, 9 * LAW.variances, LAW.weights)
    exact = us.TiltedProcess(law, us.QuadraticReward([0.0, 0.0]), "rectified_flow")
    for t in TIMES:
        np.testing.assert_allclose(denoiser.score(t)(X), exact.base_score(X, t), rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(denoiser.velocity(t)(X), exact.velocity(X, t), rtol=1e-8, atol=1e-8)
        jacobian = exact.base_score_field(t).jacobian(X)
        np.testing.assert_allclose(denoiser.score(t).jacobian(X), jacobian, rtol=1e-8, atol=1e-8)
    h = 0.7
    expected = X + h**2 * law.smoothed(h**2).score(X)
    np.testing.assert_allclose(denoiser(X, h), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("parametrisation", "convention"), WAYS)
@pytest.mark.parametrize("field", ["at", "score", "velocity"])
def test_a_network_obeys_the_laws_of_a_field(parametrisation, convention, field):
    check_field(getattr(wrapped(parametrisation, convention), field)(0.4), X)


def test_golden_preconditioning_and_finite_ends():
    given = us.LearnedDenoiser(lambda u, c: torch.full_like(u, 0.4), 0.8, dimension=1, levels=(1e-3, 1e3))
    at = Preconditioning(0.37, scale=0.8)
    for field, value in (("at", 0.924980975), ("velocity", -0.595268294), ("score", -2.413094077)):
        assert getattr(given, field)(0.37)([[1.3]])[0, 0] == pytest.approx(value, abs=5e-10)
    np.testing.assert_allclose(given.at(0.37)(X[:, :1]), at.denoiser(X[:, :1], np.full((7, 1), 0.4)), rtol=1e-14)
    for t in (0.0, 1.0):
        ends = Preconditioning(t, scale=0.8)
        np.testing.assert_allclose(given.velocity(t)([[1.3]]), ends.velocity([[1.3]], [[0.4]]), rtol=1e-14)
        np.testing.assert_allclose(given.at(t)([[1.3]]), ends.denoiser([[1.3]], [[0.4]]), rtol=1e-14)


def test_the_label_is_what_the_network_was_trained_with_and_is_clipped():
    seen = []

    def module(u, label):
        seen.append(float(label[0]))
        return u * label[:, None]

    steps = us.LearnedDenoiser(
        module, dimension=2, parametrisation="noise", convention="vp", label=lambda h: 1000 * h, levels=(0.1, 2.0)
    )
    for h in (0.05, 0.5, 7.0):
        steps(X, h)
    assert seen[1:] == [100.0, 500.0, 2000.0]
    with pytest.raises(InputError, match="give the levels"):
        us.LearnedDenoiser(module, dimension=2).at(1.0)(X)


def test_paths_of_a_learned_score_are_those_of_the_exact_one():
    score = us.TimeField(wrapped("velocity", "rectified_flow").score)
    times = np.linspace(0.05, 0.95, 31)
    rng = np.random.default_rng
    exact, reward = process("rectified_flow"), us.QuadraticReward([0.1, 0.2], 0.1)
    expected = us.simulate(exact, 40, rng(1), times=times, control="none")
    paths = us.simulate(exact, 40, rng(1), times=times, control="none", score=score)
    np.testing.assert_allclose(paths.points, expected.points, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(paths.log_weight, reward.value(paths.points), rtol=1e-9)
    # Under a control of the user's own, too; half the score ends elsewhere.
    push = lambda x, t: -0.3 * x  # noqa: E731
    expected = us.simulate(exact, 40, rng(1), times=times, control=push)
    paths = us.simulate(exact, 40, rng(1), times=times, control=push, score=score)
    np.testing.assert_allclose(paths.log_weight, expected.log_weight, rtol=1e-7, atol=1e-8)
    half = us.TimeField(lambda t: us.as_field(lambda x: 0.5 * score(x, t), dimension=2))
    assert (
        np.abs(us.simulate(exact, 40, rng(1), times=times, control=push, score=half).points - paths.points).max() > 0.1
    )


@pytest.mark.parametrize("schedule", ["rectified_flow", "vp_cosine", "foellmer"])
def test_a_denoiser_has_the_score_of_the_process_it_is_given_to(schedule):
    times, exact = np.linspace(0.05, 0.95, 31), process(schedule)
    paths = [
        us.simulate(exact, 40, np.random.default_rng(1), times=times, control="none", score=score)
        for score in (None, wrapped("noise", "ve"))
    ]
    np.testing.assert_allclose(paths[1].points, paths[0].points, rtol=1e-8, atol=1e-8)


def test_the_probability_flow_of_a_network_is_that_of_the_exact_denoiser():
    start = 8 * np.random.default_rng(3).normal(size=(50, 2))
    levels = noise_levels(30, high=8.0, low=0.05)
    exact = lambda x, h: x + h**2 * LAW.smoothed(h**2).score(x)  # noqa: E731
    for way in WAYS:
        drawn = sample_denoiser(wrapped(*way), start, levels=levels)
        np.testing.assert_allclose(drawn, sample_denoiser(exact, start, levels=levels), rtol=1e-7, atol=1e-8)


def test_a_score_of_ones_own_needs_a_start_and_a_control_that_are_known():
    exact, score = process("foellmer"), us.TimeField(wrapped("noise", "ve").score)
    rng = np.random.default_rng(0)
    for options, message in (
        ({"times": [0.1, 0.5]}, "control='none' or your own control"),
        ({"times": [0.0, 0.5], "control": "none"}, "times must start above 0"),
    ):
        with pytest.raises(InputError, match=message):
            us.simulate(exact, 2, rng, score=score, **options)
    with pytest.raises(InputError, match="score must be a TimeField"):
        us.simulate(exact, 2, rng, times=[0.1, 0.5], control="none", score=score.at(0.5))
    with pytest.raises(InputError, match="must return a field"):
        us.TimeField(lambda t: t).at(0.5)


def network(dtype=torch.float32):
    torch.manual_seed(0)
    linear = torch.nn.Linear

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.Sequential(linear(3, 16), torch.nn.Dropout(0.5), torch.nn.SiLU(), linear(16, 2))

        def forward(self, u, label):
            return self.layers(torch.cat([u, label[:, None]], 1))

    return Network().to(dtype)


def test_a_denoiser_is_a_frozen_copy_of_its_network_in_float64():
    module = network()
    denoiser = us.LearnedDenoiser(module, mean=[0.0, 0.0])
    assert module.training and next(module.parameters()).dtype == torch.float32
    before = denoiser(X, 0.5)
    with torch.no_grad():
        next(module.parameters()).mul_(2.0)
    np.testing.assert_array_equal(denoiser(X, 0.5), before)  # dropout is off, too
    check_field(denoiser.at(0.4), X)
    check_field(denoiser.velocity(0.4), X)
    assert denoiser(X.astype(np.float32), 0.5).dtype == np.float32


def test_in_float32_a_value_does_not_depend_on_its_batch():
    denoiser = us.LearnedDenoiser(network(), dimension=2, dtype=torch.float32, batch_size=64)
    x = np.random.default_rng(0).normal(size=(150, 2))
    alone = np.concatenate([denoiser(row[None], 0.5) for row in x])
    np.testing.assert_array_equal(denoiser(x, 0.5), alone)
    wide = us.LearnedDenoiser(network(), dimension=2)
    np.testing.assert_allclose(denoiser(x, 0.5), wide(x, 0.5), atol=1e-5)


def test_many_points_and_few_at_a_time_are_the_same():
    whole, parts = (us.LearnedDenoiser(network(), dimension=2, batch_size=size) for size in (4096, 3))
    np.testing.assert_allclose(whole(X, 0.5), parts(X, 0.5), rtol=1e-12)
    np.testing.assert_allclose(whole.at(0.3).jacobian(X), parts.at(0.3).jacobian(X), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("module", "options", "message"),
    [
        (lambda u: u, {"dimension": 2}, "must map points"),
        (lambda u, c: u[:, :1], {"dimension": 2}, "module"),
        (lambda u, c: u.numpy(), {"dimension": 2}, "must return a tensor"),
        (lambda u, c: u / 0, {"dimension": 2}, "finite"),
        (lambda u, c: u, {}, "dimension is not known"),
        (lambda u, c: u, {"dimension": 2, "mean": [1.0]}, "mean must be"),
        (lambda u, c: u, {"dimension": 2, "scale": 0.0}, "scale"),
        (lambda u, c: u, {"dimension": 2, "parametrisation": "x0"}, "parametrisation must be one of"),
        (lambda u, c: u, {"dimension": 2, "convention": "edm"}, "convention must be one of"),
        (lambda u, c: u, {"dimension": 2, "parametrisation": "velocity"}, "parametrisation='noise'"),
        (lambda u, c: u, {"dimension": 2, "levels": (2.0, 1.0)}, "levels must be"),
        (lambda u, c: u, {"dimension": 2, "dtype": "float64"}, "dtype must be"),
        (lambda u, c: u, {"dimension": 2, "device": "gpu"}, "device must be a device"),
        (lambda u, c: u, {"dimension": 2, "device": 3.5}, "device must be a device"),
        (lambda u, c: u, {"dimension": 2, "device": "cuda:99"}, "device must be a device"),
        (torch.nn.Linear(2, 2), {"dimension": 2, "device": "cuda:99"}, "device must be a device"),
        (3, {"dimension": 2}, "module must be a function"),
    ],
)
def test_bad_arguments_are_refused(module, options, message):
    with pytest.raises(InputError, match=message):
        us.LearnedDenoiser(module, **options)


@pytest.mark.parametrize(
    "error", [AssertionError(), ValueError("v"), KeyError("k"), AttributeError("a"), ZeroDivisionError("z")]
)
def test_whatever_a_module_raises_on_points_is_named_as_its_own(error):
    def module(u, label):
        raise error

    with pytest.raises(InputError, match=r"module must map points .* it fails: .+"):
        us.LearnedDenoiser(module, dimension=2)


def test_a_module_goes_to_the_cpu_unless_told_otherwise(monkeypatch):
    seen = []
    plain = torch.nn.Module.to
    module = network()
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, **options: seen.append(options) or plain(self, **options))
    us.LearnedDenoiser(module, dimension=2)
    assert seen[0]["device"] == torch.device("cpu")  # None would leave it where it is


def test_a_network_that_cuts_its_graph_has_values_and_no_jacobian():
    class Gradient(torch.nn.Module):
        def forward(self, u, label):
            with torch.enable_grad():
                u = u.detach().requires_grad_()
                return torch.autograd.grad(torch.sin(u).sum(), u)[0]

    field = us.LearnedDenoiser(Gradient(), dimension=2, parametrisation="denoiser").at_level(0.5)
    np.testing.assert_allclose(field(X), np.cos(X), rtol=1e-12)
    with pytest.raises(InputError, match=r"Jacobian of module .* torch\.func\.grad"):
        field.jacobian(X)


def test_a_network_of_another_dimension_is_refused_at_once():
    with pytest.raises(InputError, match=r"points \(n, 5\)"):
        us.LearnedDenoiser(network(), dimension=5)
    with pytest.raises(InputError, match="dimension 2"):
        us.LearnedDenoiser(network(), dimension=2)(np.ones((3, 5)), 0.5)
