"""Old names of parameters keep working for one release, and say what to write instead."""

import ast
import inspect
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore import references, samplers
from unifiedscore.deprecation import renamed
from unifiedscore.errors import InputError
from unifiedscore.fields.drifts.sinkhorn import sinkhorn_scaling
from unifiedscore.learned import train_generator
from unifiedscore.samplers.drifting_flow import exponential_schedule
from unifiedscore.study import Cell, Claim, Control, Grid, Inside, Study, Variable
from unifiedscore.study.runner import run_studies

PACKAGE = Path(us.__file__).parent
OLD = {"rng_seed": "seed", "steps": "n_steps", "most": "max_iterations", "n_samples": "n"}
POINTS = np.array([[-1.0], [0.5], [2.0]])
SAMPLES = us.Samples(POINTS)
GAUSS = us.Gaussian(bandwidth=1.0)
PATH = samplers.GaussianPath([[0.0], [0.5]], (1.0, 1.0)).path()
FLOW = samplers.DriftingFlow(GAUSS, POINTS)
PROCESS = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([1.0]), "rectified_flow")
GRID = Grid(case=["a"], seed=range(2))
CELL = Cell({"case": "a", "seed": 1})
STUDY = Study(
    "renamed",
    title="Draws whose seed has an old name",
    grid=GRID,
    measure=lambda cell, rng: {"value": rng.random()},
    variables={"value": Variable("A draw")},
    claims=[
        Claim(
            "renamed",
            "A draw lies in [0, 1].",
            "this test",
            "monte_carlo",
            "value",
            Inside(0.0, 1.0),
            control=Control("below 0", test=Inside(-1.0, 0.0)),
        )
    ],
)


def rng():
    return np.random.default_rng(7)


def state(x, t):
    return -x


def weight(x, t):
    return x[:, 0]


CASES = {
    "run": ("rng_seed", us.run, 3, lambda f, folder, **new: f(STUDY, out=folder, **new)["value"].values),
    "run_studies": (
        "rng_seed", run_studies, 3, lambda f, folder, **new: f([STUDY], out=folder, **new)[0]["value"].values
    ),
    "Grid.stream": ("rng_seed", Grid.stream, 3, lambda f, _, **new: f(GRID, CELL, **new).random()),
    "exponential_schedule": ("steps", exponential_schedule, 3, lambda f, _, **new: f(4.0, 1.0, **new)),
    "DriftingFlow.run": ("steps", samplers.DriftingFlow.run, 3, lambda f, _, **new: f(FLOW, POINTS, **new).particles),
    "EscortedLangevin": (
        "steps", samplers.EscortedLangevin, 3,
        lambda f, _, **new: f(PATH, diffusivity=0.5, **new).run_forward(4, rng()).work,
    ),
    "escorted_jarzynski": (
        "steps", samplers.escorted_jarzynski, 3, lambda f, _, **new: f(PATH, 4, rng(), diffusivity=0.5, **new).work
    ),
    "tilted_jarzynski": ("steps", samplers.tilted_jarzynski, 3, lambda f, _, **new: f(PROCESS, 4, rng(), **new).points),
    "tilted_crooks": (
        "steps", samplers.tilted_crooks, 3, lambda f, _, **new: f(PROCESS, 4, rng(), diffusivity=0.5, **new).points
    ),
    "chain_of_fields": (
        "steps", references.chain_of_fields, 3,
        lambda f, _, **new: [step.shift for step in f(state, weight, diffusivity=0.5, **new)],
    ),
    "sinkhorn_scaling": (
        "most", sinkhorn_scaling, 500, lambda f, _, **new: f(GAUSS, SAMPLES, SAMPLES, **new).log_first
    ),
    "SinkhornDrift": (
        "most", us.SinkhornDrift, 500, lambda f, _, **new: f(GAUSS, target=POINTS, model=-POINTS, **new)(POINTS)
    ),
    "sample_closed_form": (
        "n_samples", us.sample_closed_form, 4,
        lambda f, _, **new: f(
            POINTS, n_steps=3, smoothing=0.1, noise=us.Noise("fresh", draws=2), rng=rng(), **new
        ).samples,
    ),
    "solve_tilt": (
        "n_samples", us.solve_tilt, 2000,
        lambda f, _, **new: f(
            us.SmoothedScore(SAMPLES, 0.5, 0.0), method="samples", tolerance=1e-6, rng=rng(), **new
        ).quadratic,
    ),
}  # fmt: skip
"""Old name, function, a value, and a call of the function that gives numbers."""


GATHERED = {
    "sample_closed_form noise": (
        us.sample_closed_form, {"noise_policy": "fixed_antithetic", "noise_draws": 2},
        {"noise": us.Noise("fixed_antithetic", draws=2)}, {"n_steps": 3, "smoothing": 0.1},
    ),
    "sample_closed_form given noise": (
        us.sample_closed_form, {"noise_policy": "shared", "noise_draws": 2, "noise": POINTS[:2]},
        {"noise": us.Noise("shared", given=POINTS[:2])}, {"n_steps": 3, "smoothing": 0.1},
    ),
    "sample_closed_form near": (
        us.sample_closed_form, {"tolerance": 1e-2, "estimator": "near"}, {"estimator": us.Near(1e-2)},
        {"n_steps": 3, "smoothing": 0.0},
    ),
    "sample_closed_form neighbours": (
        us.sample_closed_form, {"n_neighbours": 1, "n_remainder": 1, "estimator": "neighbours"},
        {"estimator": us.Neighbours(1, 1)}, {"n_steps": 3, "smoothing": 0.0},
    ),
    "sample_moment_matched noise": (
        us.sample_moment_matched, {"noise_draws": 4}, {"noise": us.Noise("fresh_antithetic", draws=4)},
        {"noise_level": 0.5, "smoothing": 0.1, "step": 0.01, "n_steps": 2},
    ),
    "sample_moment_matched no draws": (
        us.sample_moment_matched, {"noise_draws": 0}, {"noise": None},
        {"noise_level": 0.5, "smoothing": 0.0, "step": 0.01, "n_steps": 2},
    ),
    "sample_moment_matched policy": (
        us.sample_moment_matched, {"noise_draws": 0, "noise_policy": "population"}, {"noise": us.Noise("population")},
        {"noise_level": 0.5, "smoothing": 0.1, "step": 0.01, "n_steps": 2},
    ),
    "sample_moment_matched unused": (
        us.sample_moment_matched, {"tolerance": 1e-3}, {"estimator": us.Dense()},
        {"noise_level": 0.5, "smoothing": 0.0, "step": 0.01, "n_steps": 2},
    ),
    "sample_moment_matched neighbours": (
        us.sample_moment_matched, {"n_neighbours": 2, "n_remainder": 0, "estimator": "neighbours"},
        {"estimator": us.Neighbours(2, 0)}, {"noise_level": 0.5, "smoothing": 0.0, "step": 0.01, "n_steps": 2},
    ),
}  # fmt: skip
"""Function, old arguments, what replaces them, and the other arguments."""


@pytest.mark.parametrize("case", GATHERED)
def test_old_arguments_become_one_settings_object_with_the_spelling_in_the_warning(case):
    function, old, new, rest = GATHERED[case]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        before = function(POINTS, 4, rng=rng(), **rest, **old)
    (warning,) = caught
    order = ("noise_policy", "noise_draws", "tolerance", "n_neighbours", "n_remainder")
    names = [name for name in order if name in old]
    ((into, value),) = new.items()
    assert f"({', '.join(f'{name}=...' for name in names)}) is deprecated" in str(warning.message)
    assert str(warning.message).endswith(f"write {into}={value!r}") and warning.filename == __file__
    after = function(POINTS, 4, rng=rng(), **rest, **new)
    np.testing.assert_array_equal(before.samples, after.samples)
    assert before.settings == after.settings


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"noise_draws": 2}, {"noise": us.Noise("fixed", draws=2)}),
        ({"noise_policy": "fixed"}, {"noise": us.Noise("fixed", draws=2)}),
        ({"tolerance": 0.1}, {"estimator": us.Near(0.1)}),
        ({"n_neighbours": 1}, {"estimator": us.Dense()}),
    ],
)
def test_a_settings_object_beside_an_old_argument_is_an_error(old, new):
    (name,), (into,) = old, new
    with pytest.raises(InputError, match=f"got both {into} and its old name {name}"):
        us.sample_closed_form(POINTS, 4, n_steps=3, smoothing=0.1, rng=rng(), **old, **new)


@pytest.mark.parametrize(
    ("old", "words"),
    [
        ({"noise_draws": 3, "noise_policy": "fixed_antithetic"}, "draws must be even"),
        ({"noise_policy": "frozen", "noise_draws": 2}, "frozen"),
        ({"noise_policy": "fixed"}, "draws"),
        ({"noise_draws": 2}, "policy"),
        ({"noise_draws": 2, "noise_policy": "fixed", "noise": np.zeros((4, 3, 1))}, "draws = 2"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"n_neighbours": 0, "estimator": "near"}, "nearest"),
    ],
)
def test_wrong_values_of_old_arguments_are_refused(old, words):
    with pytest.raises(InputError, match=words), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        us.sample_closed_form(POINTS, 4, n_steps=3, smoothing=0.1, rng=rng(), **old)


def train(function, _, **new):
    return function(FLOW, rng=rng(), batch=4, **new).energy


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_every_renamed_function_of_the_package_is_here():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            calls = [part for part in getattr(node, "decorator_list", []) if isinstance(part, ast.Call)]
            if any(getattr(part.func, "id", "") == "renamed" for part in calls):
                found.add((path.stem, node.name))
    covered = {(function.__module__.rpartition(".")[2], function.__name__) for _, function, *_ in CASES.values()}
    gathered = {(case[0].__module__.rpartition(".")[2], case[0].__name__) for case in GATHERED.values()}
    assert found == covered | gathered | {("training", "train_generator")}


def test_the_old_name_works_and_warns_once_at_the_caller(case, tmp_path):
    old, function, value, call = case
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DeprecationWarning)
        before = call(function, tmp_path / "old", **{old: value})
    (warning,) = [warning for warning in caught if warning.category is DeprecationWarning]
    assert f"({old}=...)" in str(warning.message) and f"write {OLD[old]}=..." in str(warning.message)
    assert warning.filename == __file__
    np.testing.assert_array_equal(before, call(function, tmp_path / "new", **{OLD[old]: value}))


def test_both_names_are_an_error(case, tmp_path):
    old, function, value, call = case
    with pytest.raises(InputError, match=f"got both {OLD[old]} and its old name {old}"):
        call(function, tmp_path, **{old: value, OLD[old]: value})


def test_the_signature_shows_the_new_name_alone(case):
    old, function, *_ = case
    parameters = inspect.signature(function).parameters
    assert OLD[old] in parameters and old not in parameters
    assert function.__doc__ and function.__name__ in function.__qualname__


def test_training_takes_the_old_name():
    pytest.importorskip("torch")
    with pytest.warns(DeprecationWarning, match=r"train_generator\(steps=\.\.\.\).* write n_steps="):
        energy = train(train_generator, None, steps=2)
    np.testing.assert_array_equal(energy, train(train_generator, None, n_steps=2))
    with pytest.raises(InputError, match="got both n_steps"):
        train(train_generator, None, steps=2, n_steps=2)


def test_a_new_name_given_by_position_counts_as_given():
    with pytest.raises(InputError, match="got both n and its old name n_samples"):
        us.sample_closed_form(POINTS, 4, n_samples=4, n_steps=3)


def test_an_instance_answers_to_the_old_attribute():
    sampler = samplers.EscortedLangevin(PATH, n_steps=3, diffusivity=0.5)
    with pytest.warns(DeprecationWarning, match=r"EscortedLangevin\.steps .* write \.n_steps"):
        assert sampler.steps == 3
    assert "steps" not in repr(sampler).replace("n_steps", "")


def test_a_renamed_function_can_be_sent_to_a_worker():
    assert pickle.loads(pickle.dumps(us.run)) is us.run


def test_a_decorator_that_does_not_fit_its_function_is_refused_at_import():
    for names in ({"old": "absent"}, {"present": "present"}):
        with pytest.raises(TypeError, match="must have the parameter"):
            renamed(**names)(lambda present: present)


def test_one_name_for_one_thing():
    """No function of the package takes a parameter under an old name, except where the word means something else."""
    elsewhere = {
        ("references/recursion.py", "log_expectation", "steps"),  # the steps themselves, not how many
        ("plotting/field2d.py", "plot_angle", "most"),  # degrees
        ("learned/split.py", "memorisation_step", "steps"),  # the steps themselves, too
        ("learned/train.py", "DenoiserTraining", "steps"),
        ("learned/tilt.py", "ControlTraining", "steps"),
        ("learned/train.py", "seen", "steps"),
        ("learned/tilt.py", "seen", "steps"),
        ("learned/tilt.py", "result", "steps"),
        ("plotting/generator.py", "generator_figure", "steps"),
        ("plotting/generator.py", "_course", "steps"),
        ("study/attack/explore.py", "_Lane", "steps"),
        ("study/attack/run.py", "_next", "steps"),
        ("study/attack/certify.py", "certify", "most"),  # candidates, of which each is evaluated once
        ("study/pool.py", "put", "most"),
        ("study/pool.py", "_put", "most"),
        ("cli/train.py", "train_score_command", "steps"),  # the option --steps
        ("cli/train.py", "train_drift_command", "steps"),
        ("cli/train.py", "train_tilt_command", "steps"),
    }
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                title = node.name
            elif isinstance(node, ast.ClassDef):
                names = [a.target.id for a in node.body if isinstance(a, ast.AnnAssign) and hasattr(a.target, "id")]
                title = node.name
            else:
                continue
            found |= {(path.relative_to(PACKAGE).as_posix(), title, name) for name in names if name in OLD}
    assert found == elsewhere
