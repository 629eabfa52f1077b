"""The universal claims of this repository: their two routes agree, and what refuted a claim before still does."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.study.attack.attack import BUDGET, Attack
from unifiedscore.study.attack.certify import compare
from unifiedscore.study.attack.evaluate import evaluate
from unifiedscore.study.attack.yardstick import Yardstick
from unifiedscore.study.discover import studies_in, universal_in
from unifiedscore.study.records import Record

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "studies").glob("*/study_universal_*.py"))
NAMES = [(file, universal.name) for file in FILES for found in studies_in(file) for universal in found.study.universals]


def named(file, name):
    return next(u for found in studies_in(file) for u in found.study.universals if u.name == name)


@pytest.mark.parametrize(("file", "name"), NAMES, ids=[name for _, name in NAMES])
def test_two_routes_agree_on_random_instances(file, name):
    universal = named(file, name)
    assert us.testing.check_universal(universal, np.random.default_rng(1), count=4) >= 3


CERTIFIED = [(file, name) for file, name in NAMES if named(file, name).expect == "refuted"]


@pytest.mark.parametrize(("file", "name"), CERTIFIED, ids=[name for _, name in CERTIFIED])
def test_known_counterexamples_are_starts_that_both_routes_certify(file, name):
    universal = named(file, name)
    yardstick, certified = Yardstick.of(universal, "claim"), 0
    for start in universal.starts:
        first = universal.quantity(start)
        second = Record("ok", universal.second(start))
        certified += compare(start, first, second, yardstick).certified
    assert certified >= max(1, len(universal.starts) // 2)


CONTROLLED = [(file, name) for file, name in NAMES if named(file, name).control is not None]


@pytest.mark.parametrize(("file", "name"), CONTROLLED, ids=[name for _, name in CONTROLLED])
def test_every_control_is_refuted_without_a_known_instance_and_at_another_root_seed(file, name):
    universal = named(file, name)
    attack = Attack(universal, BUDGET["quick"], seed=1)
    steps, records = attack.refute_control(), None
    with suppress(StopIteration):
        while True:
            asks = steps.send(records)
            records = [Record("ok", evaluate([universal], ask.cell)) for ask in asks]
    assert attack.control is not None and attack.control.certified
    assert {trial.stage for trial in attack.trials["control"]} <= {"sobol", "polish", "restart"}


def test_the_formula_of_the_cosine_needs_its_sign_at_one_of_its_starts():
    path = ROOT / "studies" / "drift" / "study_universal_gaussians.py"
    universal = universal_in(path, "universal.cosine_formula")
    start, control = universal.starts[-1], universal.control
    found = universal.quantity(start)
    assert abs(found["value"]) < 1e-3 and all(entry.low <= found[entry.variable] <= entry.high
                                              for entry in universal.hypotheses)  # fmt: skip
    wrong, second = control.quantity(start), Record("ok", control.second(start))
    assert wrong["value"] == pytest.approx(1.974, abs=1e-3)
    assert compare(start, wrong, second, Yardstick.of(universal, "control")).certified


def test_the_second_route_of_the_decomposition_computes_its_covariance(monkeypatch):
    """With weights that add up to two it is no identity any more, which a value that is 0 by construction hides."""
    path = ROOT / "studies" / "drift" / "study_universal_points.py"
    universal = universal_in(path, "universal.radial_decomposition")
    draws = np.random.default_rng(5).random((8, universal.space.coordinates))
    starts = [universal.space.decode(draw) for draw in draws]
    assert max(universal.second(start)["value"] for start in starts) < 1e-9
    names = _globals(universal.second)
    right = names["posterior"]

    def heavy(instance):
        weights, *rest = right(instance)
        return [2 * weight for weight in weights], *rest

    monkeypatch.setitem(names, "posterior", heavy)
    assert min(universal.second(start)["value"] for start in starts) > 1e6


def _globals(route):
    """The names of the study file in which a route is defined: its function is the first of its closure."""
    return route.__closure__[0].cell_contents.__globals__


def test_the_drift_opposes_its_score_in_sixteen_dimensions_as_the_fields_of_the_package_say():
    """The first start of `universal.practical_cosine`, with full covariances and draws of the model."""
    universal = universal_in(ROOT / "studies" / "drift" / "study_universal_gaussians.py", "universal.practical_cosine")
    start = universal.starts[0]
    p = us.GaussianMixture(np.zeros((1, 16)), np.diag([0.05] * 8 + [1.0] * 8))
    q = us.GaussianMixture(np.zeros((1, 16)), np.diag([0.001] * 8 + [1.0] * 8))
    kernel = us.Laplace(bandwidth=0.2 * np.sqrt(8.4 + 8.008))
    x = q.sample(2000, np.random.default_rng(0))
    fields = [field(kernel, target=p, model=q)(x) for field in (us.Drift, us.ScoreDifference)]
    cosine = us.metrics.global_cosine(*fields)
    assert cosine == pytest.approx(-0.9534, abs=5e-4)
    # 2000 draws know the cosine to about 1 %.
    assert universal.quantity(start)["value"] == pytest.approx(cosine, abs=0.01)


def test_an_evaluation_names_the_route_and_the_control():
    universal = universal_in(ROOT / "studies" / "closed_form" / "study_universal_paths.py", "universal.descent")
    start = universal.space.decode(np.random.default_rng(3).random(universal.space.coordinates))
    labels = {"claim": universal.id, "regime": "-", "route": "first", "instance": start.text}
    right, wrong = (evaluate([universal], labels | {"variant": variant}) for variant in ("claim", "control"))
    assert right["value"] <= 1 + 1e-9 < wrong["value"]


def test_the_bound_on_the_alignment_of_shifted_gaussians_follows_what_the_kernel_sees():
    """A tenth of the bandwidth: the error grows a hundredfold, as t^2 does, up to t^2 / 16 v^2 tr Sigma_q."""
    path = ROOT / "studies" / "drift" / "study_universal_flat.py"
    claim = universal_in(path, "universal.mean_shift_alignment")
    alone = universal_in(path, "universal.mean_shift_alignment", regime="norms alone")
    given = claim.starts[0].values_given | {"dimension": 2**18}
    wide, narrow = (claim.space.instance(**given | {"fraction": fraction}) for fraction in (0.2, 0.02))
    assert alone.quantity(narrow)["value"] > 40 * alone.quantity(wide)["value"]
    assert claim.quantity(wide)["value"] < claim.quantity(narrow)["value"] == pytest.approx(1.0, abs=0.05)


def test_the_error_of_flat_kernels_follows_the_trace_over_the_largest_eigenvalue():
    """A hundred directions carry the trace: sixteen times as many others of a millionth change next to nothing."""
    path = ROOT / "studies" / "drift" / "study_universal_flat.py"
    claim = universal_in(path, "universal.mean_shift_alignment")
    dimension = universal_in(path, "universal.mean_shift_alignment", regime="by dimension")
    few = {"shift": 1.0, "along": 0.5, "middle": 1.0, "last": 1e-6, "excess": 0.0, "fraction": 0.2,
           "along_change": 1.0, "middle_change": 0.99}  # fmt: skip
    low, high = (claim.space.instance(dimension=d, share=100 / (d - 1), **few) for d in (2**16, 2**20))
    assert claim.quantity(high)["value"] == pytest.approx(claim.quantity(low)["value"], rel=0.05)
    assert dimension.quantity(high)["value"] > 2.5 * dimension.quantity(low)["value"] > 100


def test_three_modes_are_lost_where_the_pilot_lost_them():
    """Masses (.1, .8, .1), noise a fifth of the spacing: between .24 and .25 of the spacing, by both routes."""
    universal = universal_in(ROOT / "studies" / "moment_matched" / "study_universal_modes.py",
                             "universal.modes_moment_matched")  # fmt: skip
    least = {"masses": (0.1, 0.8, 0.1), "noise_level": 0.2}
    for route in (universal.control.quantity, universal.control.second):
        kept, lost = (route(least | {"smoothing": s * 3 / 5})["value"] for s in (0.24, 0.25))
        assert (kept, lost) == pytest.approx((0.1092, -0.1206), abs=1e-3)


CLOSE = {
    "points": 2, "dimension": 2, "draws": 3,
    "data": ((1.252514944548579, 1.3871401707185678), (1.2528896802971454, 1.38911759603153)),
    "noise": ((-0.17537842936520764, -0.9197647627508752), (0.9909540364559284, -0.37875607730114513),
              (-0.08442463353503626, -1.809676312946893)),
    "z": (-0.30205829364499515, -1.4203919605771445), "smoothing": 0.5037634310346488,
    "time": 0.051726081513348024, "eta": 0.25676034254111196, "sphere": 0.9238713463432947,
}  # fmt: skip
MESHED = {
    "modes": 4, "places": (-0.6541724201398851, 0.7879588194651546, 0.08034513662136522, -0.6162040787684382),
    "weights": (0.08157717213107542, 0.13568745886007855, 0.6883140114920651, 0.2073554713485382),
    "width": 1.1086092541387749, "schedule": "rectified_flow", "time": 0.5425899036364447,
}  # fmt: skip


@pytest.mark.parametrize(
    ("folder", "claim", "given", "value"),
    [("closed_form", "lipschitz", CLOSE, 0.99999998590), ("tilting", "adjoint_logconcave", MESHED, 0.9974171)],
)
def test_instances_whose_digits_were_lost_carry_true_errors(folder, claim, given, value):
    """Two points that nearly coincide; two of four modes that do. The values are of 40 digits, of a fine mesh."""
    file = "study_universal_paths.py" if folder == "closed_form" else "study_universal_adjoint.py"
    universal = universal_in(ROOT / "studies" / folder / file, f"universal.{claim}")
    instance = universal.space.instance(**given)
    first, second = universal.quantity(instance), universal.second(instance)
    assert abs(first["value"] - value) <= first["error"] < 1e-4
    assert abs(first["value"] - second["value"]) <= first["error"] + second["error"]


def test_norms_are_equal_to_their_rounding_where_the_energy_must_not_rise():
    universal = universal_in(ROOT / "studies" / "closed_form" / "study_universal_paths.py", "universal.energy_monotone")
    (equal,) = universal.hypotheses
    start = universal.starts[-1].values_given | {"data": ((1.0, 0.5), (-1.5, 0.5), (0.5, -0.25))}
    on, off = (universal.quantity(universal.space.instance(**start | {"sphere": s})) for s in (1.0, 1 - 1e-9))
    assert on["norm_gap"] <= equal.high < off["norm_gap"] < 1e-8
