"""Planted false theorems of each kind are refuted and made simple; a planted numerical bug is never a refutation."""

import math

import pytest

import unifiedscore as us
from unifiedscore.study.discover import studies_in

HEAD = """
NUMBER = Real(-5, 5, simple=(0.0, 1.0, -1.0))
space = Space(n=Integer(2, 12), x=Many(NUMBER, at_most=12, count="n"), scale=Real(0.01, 100, log=True),
              kind=Choice(("plain", "scaled")))


def spread(instance):
    x = instance["x"]
    m = sum(x) / len(x)
    return sum((v - m) ** 2 for v in x) / len(x), max(x) - min(x)


def exact(instance):
    x = [mpmath.mpf(v) for v in instance["x"]]
    m = sum(x) / len(x)
    return sum((v - m) ** 2 for v in x) / len(x), max(x) - min(x)


def ratio(of, name):
    def evaluate(instance):
        with mpmath.workdps(50):
            variance, width = of(instance)
            found = LAWS[name](variance, width, instance)
        value = float(found)
        return {"value": value, "error": 1e-13 * (1 + abs(value)), "mean": sum(instance["x"]) / len(instance["x"])}
    return evaluate


NAN = float("nan")
LAWS = {
    # Popoviciu: variance <= width^2 / 4.
    "constant": lambda v, w, i: 4.4 * v / w**2 if w > 1e-3 else NAN,
    "hypothesis": lambda v, w, i: max(abs(a) for a in i["x"]) / (2 * v**0.5) if v > 1e-3 else NAN,
    "exponent": lambda v, w, i: 4 * v / w**1.9 if w > 1e-3 else NAN,
    "sign": lambda v, w, i: w**2 / 4 - 2 * v,
    "true": lambda v, w, i: 4 * v / w**2 if w > 1e-3 else NAN,
}
common = dict(source="planted", space=space)


def claim(name, region, **more):
    return Universal(f"planted.{name}", "A planted sentence.", quantity=ratio(spread, name), second=ratio(exact, name),
                     region=region, **(common | more))
"""
TRUE = """    claim("true", (-math.inf, 1.0 + 1e-12), control=FalseVariant("0.9", region=(-math.inf, 0.9))),
"""


def verdict(write, tmp_path, claims, name, budget=300):
    body = HEAD + "\nstudy = Study('planted', 'Planted', universals=[\n" + TRUE + claims + "])\n"
    study = studies_in(write(body, "planted"))[0].study
    return us.judge(study, us.falsify(study, claim=f"planted.{name}", out=tmp_path, budget=budget))[0]


def test_a_true_theorem_survives_and_its_control_does_not(write, tmp_path):
    found = verdict(write, tmp_path, "", "true")
    assert (found.outcome, found.control_outcome) == ("survived", "refuted")
    assert found.search["sharpness"] > 0.98


CASES = {
    "constant": ("(-math.inf, 1.0)", ""),
    "exponent": ("(-math.inf, 1.0)", ""),
    "sign": ("(0.0, math.inf)", ", unit=1.0"),
    "hypothesis": ("(-math.inf, 1.0)", ""),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_false_theorem_of_each_kind_is_refuted_and_made_simple(write, tmp_path, kind):
    region, more = CASES[kind]
    found = verdict(write, tmp_path, f'    claim("{kind}", {region}, expect="refuted"{more}),\n', kind)
    assert found.outcome == "refuted" and found.as_expected
    instance = found.search["counterexample"]["instance"]
    assert instance["n"] == 2 and instance["scale"] == 1.0 and instance["kind"] == "plain"  # what has no part in it
    numbers = instance["x"]
    assert all(value == round(value) for value in numbers), numbers
    assert abs(found.estimate - found.search["counterexample"]["second"]["value"]) < 1e-9


def test_shrinking_twice_changes_nothing(write, tmp_path):
    claims = '    claim("constant", (-math.inf, 1.0), expect="refuted"),\n'
    first = verdict(write, tmp_path, claims, "constant").search["counterexample"]["instance"]
    start = f"space.instance(n={first['n']}, x={tuple(first['x'])!r}, scale={first['scale']!r}, kind={first['kind']!r})"
    again = '    claim("constant", (-math.inf, 1.0), expect="refuted", starts=[' + start + "]),\n"
    found = verdict(write, tmp_path / "again", again, "constant", budget=1)
    assert found.search["counterexample"]["instance"] == first and found.search["counterexample"]["moves"] == 0


BUG = """
space = Space(x=Real(-1, 1), y=Real(-1, 1))


def right(instance):
    return {"value": instance["x"] * instance["y"], "error": 1e-15}


def buggy(instance):
    return {"value": instance["x"] * instance["y"] + (0.5 if instance["x"] > 0.9 else 0.0), "error": 1e-15}


study = Study("bug", "A bug", universals=[
    Universal("bug.product", "xy <= 1.", "elementary", space, buggy, (-math.inf, 1.0), right,
              FalseVariant("0.5", region=(-math.inf, 0.5)))])
"""


def test_a_numerical_bug_ends_as_a_disagreement_and_never_as_a_refutation(write, tmp_path):
    study = studies_in(write(BUG, "bug"))[0].study
    dataset = us.falsify(study, out=tmp_path)
    (found,) = us.judge(study, dataset)
    assert found.outcome == "inconclusive" and "numerical disagreement" in found.reason
    assert "space.instance(x=" in found.reason and "one of the two codes is wrong" in found.reason
    assert "numerical disagreement" in dataset.attrs["failed_cells"]


def study_of(write, function, **more):
    """A study whose quantity is broken in some way."""
    body = f"""
space = Space(x=Real(0, 1))


def value(instance):
    {function}


def second(instance):
    return {{"value": instance["x"], "error": 1e-15}}


study = Study("broken", "Broken", universals=[
    Universal("broken.one", "x <= 2.", "elementary", space, value, {more.get("region", "(-math.inf, 2.0)")}, second,
              FalseVariant("0.5", region=(-math.inf, 0.5)), {more.get("extra", "")})])
"""
    return studies_in(write(body, "broken"))[0].study


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ('raise ValueError("no such x")', "no such x"),
        ('return {"value": 1.0, "error": -1.0}', "at least 0"),
        ('return {"value": 1.0}', "error was not returned"),
        ("return 1.0", "expected a mapping"),
        ('return {"value": "1", "error": 0.0}', "real number"),
        ('return {"value": 1.0, "error": float("nan")}', "at least 0"),
    ],
)
def test_a_broken_quantity_is_a_failed_cell_with_the_code_of_its_instance(write, tmp_path, function, message):
    study = study_of(write, function)
    dataset = us.falsify(study, out=tmp_path, budget=20)
    (found,) = us.judge(study, dataset)
    assert found.outcome == "inconclusive" and "no instance" in found.reason
    assert message in dataset.attrs["failed_cells"] and "space.instance(x=" in dataset.attrs["failed_cells"]


def test_nan_everywhere_is_inconclusive_and_counted(write, tmp_path):
    study = study_of(write, 'return {"value": math.nan, "error": 0.0}')
    (found,) = us.judge(study, us.falsify(study, out=tmp_path, budget=40))
    assert found.outcome == "inconclusive" and found.search["undefined"] == 40 and math.isnan(found.estimate)


def test_a_hypothesis_that_no_instance_satisfies_is_named(write, tmp_path):
    extra = 'hypotheses=(Hypothesis("x is negative", "x", high=-1.0),)'
    study = study_of(write, 'return {"value": instance["x"], "error": 1e-15, "x": instance["x"]}', extra=extra)
    (found,) = us.judge(study, us.falsify(study, out=tmp_path, budget=40))
    assert found.outcome == "inconclusive" and "no instance satisfies the hypotheses (x is negative)" in found.reason


def test_a_control_that_is_not_refuted_leaves_the_claim_undecided(write, tmp_path):
    study = study_of(write, 'return {"value": 0.1 * instance["x"], "error": 1e-15}')
    (found,) = us.judge(study, us.falsify(study, out=tmp_path, budget=60))
    assert found.outcome == "inconclusive" and "no power" in found.reason and not found.as_expected


def test_a_control_that_only_a_known_instance_refutes_shows_no_power(write, tmp_path):
    """A spike too narrow to be found: the claim is told of it, the search of the control is not."""
    body = """
    space = Space(x=Real(0, 1))
    def value(instance):
        return {"value": 1.0 if abs(instance["x"] - 0.123456789) < 1e-9 else 0.5, "error": 0.0}
    common = dict(source="planted", space=space, quantity=value, second=value, evidence="exact",
                  region=(-math.inf, 1.0), control=FalseVariant("0.9", region=(-math.inf, 0.9)))
    spike = space.instance(x=0.123456789)
    study = Study("spike", "A spike", universals=[
        Universal("planted.spike", "At most one.", starts=(spike,), **common),
        Universal("planted.sibling", "At most one.", **common)])
    """
    study = studies_in(write(body, "spike"))[0].study
    for claim in ("planted.spike", "planted.sibling"):
        (found,) = us.judge(study, us.falsify(study, claim=claim, out=tmp_path, budget=60))
        assert found.estimate == 1.0 and found.search["stage"] in ("starts", "sibling")
        assert found.outcome == "inconclusive" and "none of them at a known instance" in found.reason
