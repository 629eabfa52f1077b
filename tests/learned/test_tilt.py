"""Controls: targets with the right means, losses whose minimiser is the optimal control, trainings that resume."""

import os
import signal
import sys

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore import cli
from unifiedscore.errors import FileError, InputError, MissingDependencyError, NumericalError
from unifiedscore.learned import TILT_LOSSES, LearnedControl, load_control, reweighted_base, train_control
from unifiedscore.learned.gradients import PARAMETRISATIONS
from unifiedscore.learned.tensor_file import read_tensors, write_tensors
from unifiedscore.learned.tilt_targets import ADJOINTS, base_moments, control_target, exact_difference, noisy_score
from unifiedscore.processes import SCHEDULES, CallableReward, conditional_target, novel_target, target_target
from unifiedscore.testing import check_field

LINE = us.GaussianMixture([[-1.5], [1.0]], [0.36, 0.6], weights=[0.3, 0.7])
PLANE = us.GaussianMixture([[1.0, 0.5], [-1.0, 0.0]], np.array([[[1.0, 0.3], [0.3, 0.5]], [[0.4, 0.0], [0.0, 0.9]]]))
REWARDS = {1: us.QuadraticReward([0.8], 0.3), 2: us.QuadraticReward([0.5, -0.7], np.array([[0.4, 0.1], [0.1, 0.2]]))}


def process_of(base=LINE, schedule="rectified_flow", reward=None):
    return us.TiltedProcess(base, reward or REWARDS[base.dimension], schedule)


def train(*, process=None, seed=1, n_steps=4, **options):
    options = {"batch": 8, "width": 8, "hidden": 1, "every": 2, "path_steps": 6} | options
    return train_control(process or process_of(), rng=np.random.default_rng(seed), n_steps=n_steps, **options)


class Steered:
    """The optimal control in the place of a learned one."""

    def __init__(self, process):
        self.process = process

    def __call__(self, x, t):
        return self.process.optimal_control(x, t)

    def jacobian(self, x, t):
        return self.process.optimal_control_field(t).jacobian(x)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("base", [LINE, PLANE], ids=["line", "plane"])
def test_targets_of_many_times_are_those_of_one(base, schedule):
    """The batch formulas against `RegressionTarget` and the scores of the process, at one time after the other."""
    process, rng = process_of(base, schedule), np.random.default_rng(0)
    t = np.array([0.03, 0.4, 0.4, 0.97])
    x, data = rng.normal(size=(2, 4, base.dimension))
    for law in (base, process.target):
        found = noisy_score(law, process.schedule, x, t)
        expected = [
            law.scaled(process.schedule.alpha(s)).smoothed(process.schedule.beta_squared(s)).score(row[None])[0]
            for s, row in zip(t, x, strict=True)
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    for name, target in (
        ("conditional", conditional_target(process)),
        ("target", target_target(process)),
        ("novel", novel_target(process, variance=0.7)),
    ):
        found = control_target(name, process, x, data, t, variance=0.7)
        for k, s in enumerate(t):
            row = target(x[k : k + 1], data[k : k + 1], s) - process.base_score(x[k : k + 1], s)
            np.testing.assert_allclose(found[k : k + 1], row, rtol=1e-9, atol=1e-9)
    exact = [process.score_difference(row[None], s)[0] for s, row in zip(t, x, strict=True)]
    np.testing.assert_allclose(exact_difference(process, x, t), exact, rtol=1e-9, atol=1e-11)


def test_the_optimal_control_of_any_reward_is_found_by_quadrature():
    """A quadratic reward as a pair of functions goes another way to the same numbers."""
    quadratic = process_of(LINE)
    reward = CallableReward(quadratic.reward.value, quadratic.reward.gradient, 1)
    x, t = np.array([[0.3], [-0.5], [1.1]]), np.array([0.2, 0.8, 0.2])
    other = exact_difference(process_of(LINE, reward=reward), x, t)
    np.testing.assert_allclose(other, exact_difference(quadratic, x, t), rtol=1e-7)


def test_reweighted_points_of_the_base_have_the_moments_of_the_tilted_law():
    process = process_of(PLANE)
    found = reweighted_base(process, 200_000, np.random.default_rng(0))
    np.testing.assert_allclose(found.mean, process.target.mean, atol=0.02)
    np.testing.assert_allclose(found.covariance_matrix, process.target.covariance_matrix, atol=0.03)


def test_without_torch_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    for call in (
        train,
        lambda: LearnedControl(lambda x, h: x, "foellmer", mean=[0.0], variance=1.0),
        lambda: load_control(tmp_path / "a"),
    ):
        with pytest.raises(MissingDependencyError, match=r"needs PyTorch.*pip install 'unifiedscore\[torch\]'"):
            call()


class TestControl:
    @pytest.fixture(autouse=True)
    def _torch(self):
        pytest.importorskip("torch")

    @pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_a_network_is_a_control_of_its_parametrisation(self, parametrisation, schedule):
        """u = sigma j F, written out; the Jacobian against differences; the ends of time by their cut-offs."""
        process = process_of(PLANE, schedule)
        mean, variance = base_moments(process)
        assert variance == pytest.approx(np.trace(PLANE.covariance_matrix) / 2)
        options = {"mean": mean, "variance": variance, "parametrisation": parametrisation, "cutoff": 0.1}
        control = LearnedControl(lambda u, label: u**2 + label[:, None], schedule, **options)
        x, t, schedule = np.array([[0.3, -0.2], [1.0, 0.4]]), 0.4, process.schedule
        alpha, beta, gamma = schedule.alpha(t), schedule.beta(t), schedule.variance(t, variance)
        factor = {
            "score": 1.0,
            "noise": 1 / beta,
            "denoiser": alpha / (beta * np.sqrt(gamma)),
            "velocity": 1 / schedule.eta(t),
        }[parametrisation]
        values = ((x - alpha * mean) / np.sqrt(gamma)) ** 2 + 0.25 * np.log(beta / alpha)
        np.testing.assert_allclose(control.score_difference(t)(x), factor * values, rtol=1e-12)
        np.testing.assert_allclose(control(x, t), schedule.sigma(t) * factor * values, rtol=1e-12)
        check_field(control.at(t), x)
        step = 1e-6 * np.eye(2)
        slope = np.stack([(control(x + e, t) - control(x - e, t)) / 2e-6 for e in step], axis=2)
        np.testing.assert_allclose(control.jacobian(x, t), slope, rtol=1e-6, atol=1e-8)
        np.testing.assert_array_equal(control.score_difference(0.999)(x), control.score_difference(0.9)(x))
        assert np.abs(control(x, 1.0)).max() == pytest.approx(
            schedule.sigma(1.0) * np.abs(control.score_difference(0.9)(x)).max()
        )

    @pytest.mark.parametrize("loss", TILT_LOSSES)
    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_every_loss_is_least_at_the_optimal_control(self, loss, schedule):
        """The residual c - T of its draws, paired with two functions of the state, has mean 0 at the optimum alone.

        A wrong control, 1.3 of the optimal one, is farther from 0. Four standard errors, and the bias of the steps.
        """
        from unifiedscore.learned.tilt_losses import ControlLoss

        base = us.GaussianMixture([[0.4, -0.2]], 0.8)
        process = process_of(base, schedule)
        law = None if loss in ADJOINTS else process.target
        options = {"cutoff": 0.05, "parametrisation": "score", "path_steps": 200, "reference": 0.8}
        compare = ControlLoss(process, loss, law, **options)

        class Optimal:
            """Stands for the network and its frozen copy alike."""

            @staticmethod
            def member(index):
                return None

        compare.control = lambda module: Steered(process)
        x, t, weight, target = compare.draw(Optimal(), 4000 if loss not in ADJOINTS else 1500, np.random.default_rng(3))
        residual = exact_difference(process, x, t) - target
        w = weight[0].double().numpy()
        # Total weight is the mean of eta over the cut-off.
        rule = np.linspace(0.05, 0.95, 4001)
        mean_eta = np.trapezoid(np.asarray(process.schedule.eta(rule)), rule) / 0.9
        assert w.sum() == pytest.approx(mean_eta, rel=0.25 if loss not in ADJOINTS else 0.1)
        width = np.sqrt(process.schedule.variance(t, 0.8))[:, None]
        for direction in (np.ones_like(x), x / width):
            values = w * np.sum(direction * residual, axis=1)
            if loss in ADJOINTS:
                values = values.reshape(200, -1).sum(0)  # one number for each path
            assert abs(values.sum()) < 4 * np.sqrt(len(values)) * values.std() + 5e-3 * mean_eta
            wrong = w * np.sum(direction * (1.3 * exact_difference(process, x, t) - target), axis=1)
            if loss != "target":  # whose noise at early times is too large to see the difference
                assert abs(wrong.sum()) > abs(values.sum())

    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_the_martingale_takes_the_noise_from_the_full_adjoint(self, schedule):
        """At the optimal control the lean adjoint is noisy given the state; the full one with its martingale is not."""
        from unifiedscore.learned.tilt_losses import ControlLoss

        process = process_of(us.GaussianMixture([[0.4]], 0.8), schedule, us.QuadraticReward([0.3], 0.9))
        spread = {}
        for loss in ADJOINTS:
            options = {"cutoff": 0.05, "parametrisation": "score", "path_steps": 400, "reference": 0.8}
            compare = ControlLoss(process, loss, None, **options)
            x, adjoint = compare.paths(Steered(process), 300, np.random.default_rng(0))
            at = 100
            slopes = np.polyfit(x[at, :, 0], -adjoint[at, :, 0], 1)
            exact = process.score_difference(np.array([[0.0], [1.0]]), float(compare.times[at]))[:, 0]
            spread[loss] = float(np.std(-adjoint[at, :, 0] - np.polyval(slopes, x[at, :, 0])))
            tolerance = 0.02 + 5 * spread[loss] / np.sqrt(300) / x[at].std()
            np.testing.assert_allclose(slopes, [exact[1] - exact[0], exact[0]], atol=tolerance)
        assert spread["martingale_adjoint"] < 0.02 * spread["full_adjoint"]  # the rest is the error of the steps
        # q > 0: the full adjoint is the less noisy one.
        assert 0.01 < spread["full_adjoint"] < 0.95 * spread["lean_adjoint"]

    def test_the_divergence_is_that_of_the_laws(self):
        """Untrained it is KL(p*|p_1), up to the cut-off: by quadrature on the line, and its sum by hand."""
        from unifiedscore.learned.tilt_losses import ControlLoss, PathDivergence

        process = process_of(LINE)
        x = np.linspace(-8, 8, 4001)[:, None]
        log_ratio = process.target.log_density(x) - LINE.log_density(x)
        divergence = np.trapezoid(np.exp(process.target.log_density(x)) * log_ratio, x[:, 0])
        options = {"cutoff": 0.001, "parametrisation": "score", "path_steps": 4, "reference": 1.0}
        found = PathDivergence(process, ControlLoss(process, "exact", process.target, **options))
        assert found.untrained == pytest.approx(divergence, rel=0.04)  # 64 states a node

    @pytest.mark.parametrize(
        "loss",
        ["novel", *(pytest.param(loss, marks=pytest.mark.slow) for loss in TILT_LOSSES if loss != "novel")],
    )
    def test_training_brings_the_control_to_the_optimal_one(self, loss):
        process = process_of(us.GaussianMixture([[-1.0], [1.0]], 0.5))
        sizes = {"n_steps": 60, "batch": 128, "path_steps": 16} if loss in ADJOINTS else {"n_steps": 300, "batch": 128}
        trained = train(process=process, loss=loss, width=32, hidden=2, every=50, learning_rate=5e-3, **sizes)
        # The target of a score blows up at the noise: its loss learns little (see the study of gradient variances).
        assert trained.divergence[-1] < (0.9 if loss == "target" else 0.3) * trained.untrained
        times = np.linspace(0.02**0.5, 1, 101) ** 2
        paths = us.simulate(process, 4000, np.random.default_rng(0), times=times, control=trained.control())
        weights = np.exp(paths.log_weight)
        # The weights correct any control: their mean is Z but for the Euler steps.
        error = weights.std() / np.sqrt(len(weights))
        assert abs(weights.mean() - np.exp(process.log_normalizer)) < 4 * error + 0.02

    @pytest.mark.parametrize(
        ("loss", "schedule", "remedies"),
        [
            ("lean_adjoint", "vp_cosine", ["more path_steps than 3"]),
            ("target", "rectified_flow", ["another loss than 'target'"]),
            ("novel", "rectified_flow", None),
            ("lean_adjoint", "rectified_flow", None),
        ],
    )
    def test_a_training_that_ends_worse_than_no_control_says_so(self, capfd, loss, schedule, remedies):
        """Paths of three steps with eight of them in a batch, or the loss with unbounded noise, at a high rate."""
        process = process_of(us.GaussianMixture([[-1.0], [1.0]], 0.5), schedule)
        rough = {"n_steps": 40, "path_steps": 3, "width": 16, "learning_rate": 0.1, "every": 20}
        fine = {"n_steps": 30, "batch": 64, "path_steps": 12, "width": 16, "learning_rate": 1e-2, "every": 15}
        trained = train(process=process, loss=loss, **(rough if remedies else fine))
        said = " ".join(capfd.readouterr().err.split())
        assert trained.is_worse_than_none == (trained.divergence[-1] > trained.untrained) == bool(remedies)
        if not remedies:
            assert trained.advice == "" and "worse than none" not in said
            return
        numbers = f"by {trained.divergence[-1]:.3g} nats, those without a control by {trained.untrained:.3g}"
        for part in ("after 40 steps", numbers, "a larger batch than 8", "a smaller learning_rate than 0.1", *remedies):
            assert part in trained.advice
        assert ("path_steps" in trained.advice) == (loss in ADJOINTS)
        assert f"note: {trained.advice}" in said

    @pytest.mark.parametrize("loss", ["lean_adjoint", "novel", "martingale_adjoint"])
    def test_a_resumed_training_is_the_uninterrupted_one(self, tmp_path, loss):
        path = tmp_path / "a.safetensors"
        whole = train(loss=loss, n_steps=6)

        def press(step, training):
            if step == 4:
                os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            train(loss=loss, n_steps=6, checkpoint=path, watch=press)
        assert read_tensors(path)[0]["history.done"] == 4
        parts = train(loss=loss, n_steps=6, checkpoint=path)
        x = np.linspace(-2, 2, 7)[:, None]
        for control in (parts.control(), load_control(path)):
            np.testing.assert_array_equal(control(x, 0.3), whole.control()(x, 0.3))
        np.testing.assert_array_equal(parts.divergence, whole.divergence)
        np.testing.assert_array_equal(
            load_control(str(path), weights="last")(x, 0.3), whole.control(weights="last")(x, 0.3)
        )
        assert np.abs(whole.control(weights="last")(x, 0.3) - whole.control()(x, 0.3)).max() > 0

    @pytest.mark.parametrize(
        ("name", "value"),
        [("step", [-1.0]), ("step", [0.5]), ("step", [1.0, 1.0]), ("exp_avg", np.zeros(3)), ("exp_avg_sq", np.nan)],
    )
    def test_a_state_of_the_optimiser_from_elsewhere_is_refused(self, tmp_path, name, value):
        path = tmp_path / "a.safetensors"
        train(checkpoint=path, n_steps=2)
        tensors, metadata = read_tensors(path)
        old = tensors[f"optimizer.0.{name}"]
        tensors[f"optimizer.0.{name}"] = np.array(value if np.ndim(value) else np.full_like(old, value), old.dtype)
        write_tensors(path, tensors, metadata)
        with pytest.raises(FileError, match=f"holds an unusable state: its optimizer.{name}"):
            train(checkpoint=path, n_steps=4)

    def test_a_reward_that_tilts_nothing_is_refused(self):
        with pytest.raises(InputError, match="rescale the reward"):
            train(process=process_of(reward=us.QuadraticReward([1e-170])))

    def test_another_training_is_not_resumed(self, tmp_path):
        path = tmp_path / "a.safetensors"
        train(checkpoint=path, n_steps=2)
        content = path.read_bytes()
        for options, message in (
            ({"process": process_of(us.GaussianMixture([[-1.5]], 0.36))}, "process = "),
            ({"process": process_of(reward=us.QuadraticReward([0.8], 0.31))}, "process = "),
            ({"loss": "novel"}, "loss = lean_adjoint along 6 steps, not novel of the tilted law"),
            ({"path_steps": 7}, "loss = lean_adjoint along 6"),
            ({"parametrisation": "score"}, "network = denoiser"),
            ({"cutoff": 0.03}, "process = |network = "),
            ({"average": 0.9}, "average = 0.99"),
            ({"batch": 9}, "batch = 8"),
        ):
            with pytest.raises(InputError, match=message):
                train(checkpoint=path, **options)
        assert path.read_bytes() == content
        with pytest.raises(FileError, match="has the format 'unifiedscore control 1', not 'unifiedscore denoiser 1'"):
            us.load_network(path)

    def test_bad_arguments_are_named(self, tmp_path):
        own = us.Schedule.from_functions(
            lambda t: t**2, lambda t: (1 - t) ** 2, alpha_rate=lambda t: 2 * t, beta_squared_rate=lambda t: 2 * t - 2
        )
        bounded = CallableReward(lambda x: np.cos(x).sum(1), lambda x: -np.sin(x), 1)
        for options, message in (
            ({"process": LINE}, "process must be"),
            ({"loss": "adjoint"}, "loss must be one of"),
            ({"cutoff": 0.5}, "cutoff must be below 1/2"),
            ({"cutoff": 0.0}, "cutoff must be"),
            ({"parametrisation": "plain"}, "parametrisation must be one of"),
            ({"batch": 0}, "batch must be"),
            ({"path_steps": 1}, "path_steps must be"),
            ({"reference": -1.0, "loss": "novel"}, "reference must be"),
            ({"data": np.ones((3, 1))}, "data must be left out with the loss 'lean_adjoint'"),
            ({"data": np.ones((3, 2)), "loss": "novel"}, "data must have the dimension 1"),
            ({"process": process_of(reward=bounded), "loss": "novel"}, "cannot be drawn from; give data"),
            ({"process": process_of(schedule=own), "checkpoint": tmp_path / "a"}, "leave checkpoint out"),
        ):
            with pytest.raises(InputError, match=message):
                train(**options)
        assert not list(tmp_path.iterdir())
        with pytest.raises(
            NumericalError, match=r"network 0 .*use a smaller learning_rate than 1e\+30, or a larger cut"
        ):
            train(learning_rate=1e30)
        assert train(process=process_of(schedule=own)).control()([[0.1]], 0.5).shape == (1, 1)
        # Any reward trains along paths, and on reweighted points of the base.
        process = process_of(reward=bounded)
        points = reweighted_base(process, 50, np.random.default_rng(0))
        for more in ({}, {"loss": "conditional", "data": points}):
            assert np.isfinite(train(process=process, **more).divergence).all()

    def test_a_checkpoint_that_does_not_describe_a_control_is_refused(self, tmp_path):
        import json

        from unifiedscore.learned.tensor_file import write_tensors

        path = tmp_path / "a.safetensors"
        train(checkpoint=path, n_steps=2)
        tensors, metadata = read_tensors(path)
        for name, value in (("cutoff", 0.7), ("schedule", "mine"), ("mean", [0.0, 0.0]), ("variance", "wide")):
            meta = json.loads(metadata["unifiedscore"])
            meta["model"][name] = value
            write_tensors(path, tensors, metadata | {"unifiedscore": json.dumps(meta)})
            with pytest.raises(FileError, match="does not describe a control"):
                load_control(path)
        tensors["average.weights.0"][:] = np.nan
        write_tensors(path, tensors, metadata)
        with pytest.raises(FileError, match="weights are not finite"):
            load_control(path)
        with pytest.raises(InputError, match="path must be"):
            load_control(3)


def run(*arguments):
    return cli._exit_code(["train", "tilt", *map(str, arguments)])


@pytest.mark.slow
def test_the_command_tilts_a_file_in_its_own_units(tmp_path, capsys):
    pytest.importorskip("torch")
    points = 50.0 + 10.0 * np.random.default_rng(0).normal(size=(60, 2))
    np.save(tmp_path / "points.npy", points)
    options = (tmp_path / "points.npy", "--linear", "0.1,0", "--loss", "novel", "--samples", 2000)
    assert run(*options, "--steps", 300, "--out", tmp_path / "whole") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "the paths diverge from optimal ones by" in text and "log Z" in text
    # A kernel density tilted by l.x, in closed form.
    width = 0.2 * np.sqrt(np.mean((points - points.mean(0)) ** 2))
    law = us.GaussianMixture(points, width**2)
    weights = np.load(tmp_path / "whole" / "log_weight.npy")
    exact = law.tilted([0.1, 0.0], 0.0).log_normalizer
    assert f"exact {exact:.4g}" in text
    assert np.log(np.mean(np.exp(weights - exact))) == pytest.approx(0.0, abs=0.05)
    samples = np.load(tmp_path / "whole" / "samples.npy")
    target = law.tilted([0.1, 0.0], 0.0).mean
    moved = (samples.mean(0) - points.mean(0))[0] / (target - points.mean(0))[0]
    assert 0.7 < moved < 1.2
    for steps in (150, 300):
        assert run(*options, "--steps", steps, "--out", tmp_path / "parts") == 0
    np.testing.assert_array_equal(np.load(tmp_path / "parts" / "samples.npy"), samples)
    assert (tmp_path / "parts" / "samples.png").stat().st_size > 5000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.npy", "--linear", "1"), "no such file"),
        (("two_moons",), "the reward is 0 and tilts nothing"),
        (("two_moons", "--linear", "1"), "--linear must be 2 numbers"),
        (("two_moons", "--linear", "a,b"), "--linear"),
        (("two_moons", "--quadratic", "-100"), "not integrable"),
        (("two_moons", "--quadratic", "1", "--loss", "mse"), "loss must be one of"),
        (("two_moons", "--quadratic", "1", "--schedule", "linear"), "schedule"),
        (("two_moons", "--quadratic", "1", "--bandwidth", "0"), "--bandwidth must be"),
        (("two_moons", "--quadratic", "1", "--steps", "0"), "--steps must be"),
        (("two_moons", "--quadratic", "1", "--cutoff", "0.6"), "cutoff must be below 1/2"),
    ],
)
def test_bad_input_is_one_clear_paragraph(tmp_path, monkeypatch, capsys, arguments, message):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    assert run(*arguments, "--out", "out") == 2
    text = " ".join(capsys.readouterr().err.split())
    assert message in text and "Traceback" not in text
    assert not (tmp_path / "out").exists()
