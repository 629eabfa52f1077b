"""Maps: refinement finds the boundary, points are judged by the claim's own test, and bits depend on nothing else."""

import json
import math
import textwrap

import numpy as np
import pytest

from unifiedscore import cli
from unifiedscore.errors import FileError, InputError, UnknownNameError
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Map, Study, Variable
from unifiedscore.study.dataset import lasting_bytes, write_dataset
from unifiedscore.study.discover import studies_in
from unifiedscore.study.maps.making import make_map, map_path, read_map, shares_of, stored_maps
from unifiedscore.study.maps.refining import Refinement, crossings, lattice_labels
from unifiedscore.study.pool import LocalPool
from unifiedscore.study.settings import RunSettings

SOURCE = '''
"""A disc and a line."""
import numpy as np

from unifiedscore.study import Claim, Control, Grid, Hypothesis, Inside, Map, Study, Variable


def measure(cell, rng):
    a, b = cell["a"], cell["b"]
    if {failing} and a == 0.5:
        raise ValueError("no such point")
    return {{
        "disc": np.hypot(a, b), "disc_error": {error}, "noisy": a + 0.1 * rng.normal(), "side": a, "side_error": 0.0,
    }}


study = Study(
    name="plane",
    title="A plane",
    grid=Grid(kind=["one", "two"], a=[0.25 * k for k in range(9)], b=[0.25 * k for k in range(9)], seed=range(16),
              skip=lambda cell: cell["kind"] == "two" or (cell["seed"] > 0 and {single})),
    measure=measure,
    variables={{"disc": Variable("Distance from the corner"), "noisy": Variable("Noisy"), "side": Variable("Side")}},
    claims=[
        Claim("plane.disc", "Points lie within a distance of 1.3.", "elementary", "quadrature", "disc",
              Inside(-np.inf, 1.3), where={{"kind": "one", "seed": 0, "a": 0.5, "b": 0.5}},
              control=Control("a corner", where={{"a": 2.0}}),
              hypotheses=(Hypothesis("not too far", "side", high={far}),)),
        Claim("plane.line", "Points lie left of one.", "elementary", "monte_carlo", "noisy", Inside(-np.inf, 1.0),
              where={{"kind": "one", "a": 0.5, "b": 0.5}}, control=Control("right", where={{"a": 2.0}})),
    ],
    maps=[Map("plane.disc", x="a", y="b", levels={levels})],
)
'''


@pytest.fixture
def make(tmp_path):
    def write(**changes):
        values = {"failing": False, "error": 0.0, "single": True, "far": 1e9, "levels": 3} | changes
        path = tmp_path / "studies" / "study_plane.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(SOURCE.format(**values)).lstrip())
        return studies_in(path)[0].study

    return write


def disc(study, out, **settings):
    return make_map(study, study.maps[0], RunSettings(out=out, **settings))


def test_the_map_of_a_disc_has_its_area_and_its_edge(make, tmp_path):
    dataset = disc(make(), tmp_path / "out")
    share = shares_of(dataset)["supported"]
    assert share == pytest.approx(math.pi * 1.3**2 / 4 / 4, abs=0.004)
    outcome = dataset["outcome"].values
    np.testing.assert_array_equal(outcome == 0, np.hypot(dataset["a"], dataset["b"]) <= 1.3)
    np.testing.assert_allclose(dataset["margin"], (1.3 - np.hypot(dataset["a"], dataset["b"])) / 1.3)
    for a, b in json.loads(dataset.attrs["boundary"]):
        assert (b is None) == (a > 1.3) and (b is None or math.hypot(a, b) == pytest.approx(1.3, abs=0.005))
    # Refined along the edge alone: a fraction of the finest lattice, all of it near the edge.
    assert dataset.sizes["point"] < 65**2 / 8
    fine = dataset["level"].values == 3
    assert np.abs(np.hypot(dataset["a"], dataset["b"]).values[fine] - 1.3).max() < 0.15
    assert (tmp_path / "out" / "plane.map.plane.disc.a.b.nc").exists()
    again = read_map(map_path(tmp_path / "out", make(), Map("plane.disc", x="a", y="b")))
    assert lasting_bytes(again) == lasting_bytes(dataset)


def test_points_that_the_numerical_error_leaves_open_are_a_band(make, tmp_path):
    dataset = disc(make(error=0.05), tmp_path / "out")
    distance = np.hypot(dataset["a"], dataset["b"]).values
    flags = dataset["outcome"].attrs["flag_meanings"].split()
    np.testing.assert_array_equal(dataset["outcome"] == flags.index("inconclusive"), np.abs(distance - 1.3) < 0.05)
    assert shares_of(dataset)["inconclusive"] == pytest.approx(math.pi * 1.3 * 0.1 / 2 / 4, rel=0.1)


def test_where_a_hypothesis_fails_the_claim_does_not_apply(make, tmp_path):
    dataset = disc(make(far=1.6), tmp_path / "out")
    flags = dataset["outcome"].attrs["flag_meanings"].split()
    np.testing.assert_array_equal(dataset["outcome"] == flags.index("not_applicable"), dataset["a"] > 1.6)


def test_the_same_bits_with_two_workers_and_after_an_interruption(make, tmp_path):
    study = make(levels=2)
    whole = lasting_bytes(disc(study, tmp_path / "one"))
    with LocalPool(2) as pool:
        assert lasting_bytes(disc(study, tmp_path / "two", executor=pool)) == whole
    records = sorted((tmp_path / "two" / "cells" / "plane").glob("*.json"))
    for path in records[::3]:
        path.unlink()
    kept = {path: path.stat().st_mtime_ns for path in records if path.exists()}
    assert lasting_bytes(disc(study, tmp_path / "two")) == whole
    assert kept == {path: path.stat().st_mtime_ns for path in kept}


def test_monte_carlo_points_are_judged_over_the_seeds_of_the_profile(make, tmp_path):
    study = make(single=False)
    dataset = make_map(study, Map("plane.line", x="a", y="b", levels=1), RunSettings(out=tmp_path / "out"))
    outcome = dataset["outcome"].values
    assert (outcome[dataset["a"].values <= 0.8] == 0).all() and (outcome[dataset["a"].values >= 1.25] == 1).all()
    assert (dataset["error"].values > 0.03).all()


def test_the_maps_of_two_regimes_are_kept_apart(tmp_path):
    names = {"v": Variable("Value")}
    shared = dict(control=Control("far", where={"x": 4}), where={"x": 0, "y": 1}, source="t", evidence="exact")
    claims = [Claim("demo.line", "s", variable="v", test=Inside(-9.0, 0.5), regime=regime, **shared)
              for regime in ("near", "far")]  # fmt: skip
    grid = Grid(x=[0, 2, 4], y=[1.0, 2.0])
    study = Study("demo", "D", grid, lambda cell, rng: {"v": cell["x"] - 2 * cell["y"]}, names, claims)
    for regime in ("near", "far"):
        make_map(study, Map(f"demo.line ({regime})", x="x", y="y", levels=0), RunSettings(out=tmp_path))
    found = [(entry["claim"], entry["regime"]) for entry in stored_maps(tmp_path).values()]
    assert sorted(found) == [("demo.line", "far"), ("demo.line", "near")]


def test_a_study_of_a_notebook_is_mapped_in_this_process(tmp_path):
    names = {"v": Variable("Value")}
    claim = Claim("demo.line", "s", "t", "exact", "v", Inside(-9.0, 0.5), where={"x": 0, "y": 1},
                  control=Control("far", where={"x": 4}))  # fmt: skip
    grid = Grid(x=[0, 2, 4], y=[1.0, 2.0])
    study = Study("demo", "D", grid, lambda cell, rng: {"v": cell["x"] - 2 * cell["y"]}, names, [claim])
    dataset = make_map(study, Map("demo.line", x="x", y="y", region=(-9.0, 0.0), levels=1), RunSettings(out=tmp_path))
    np.testing.assert_array_equal(dataset["outcome"] == 0, dataset["x"] <= 2 * dataset["y"])


@pytest.mark.parametrize("shape", [(3, 4), (9, 9), (2, 2)])
@pytest.mark.parametrize("levels", [0, 1, 3])
def test_refinement_covers_the_lattice_once_and_agrees_with_every_point(shape, levels):
    rng = np.random.default_rng(0)
    refinement = Refinement(*shape, levels)
    normal, offset = rng.normal(size=2), rng.normal() * refinement.side

    def ask(points):
        return {p: "in" if normal @ p < offset + normal @ refinement.shape / 2 else "out" for p in points}

    known = refinement.refine(ask)
    columns, rows = refinement.shape
    assert sum(leaf.side**2 for leaf in refinement.leaves) == (columns - 1) * (rows - 1)
    # A straight boundary is never lost: each rectangle that is left whole, but for the finest, has one outcome in it.
    for leaf in refinement.leaves:
        inside = ask(leaf.points(1))
        assert leaf.side == 1 or len(set(inside.values())) == 1
    assert sum(refinement.shares(known).values()) == pytest.approx(1)
    plane = refinement.filled({p: 2.0 * p[0] - p[1] for p in known})
    np.testing.assert_allclose(plane, 2.0 * np.arange(columns)[:, None] - np.arange(rows), atol=1e-12)
    assert {refinement.level(p) for p in known} <= set(range(levels + 1))


def test_a_boundary_that_leaves_through_an_edge_is_followed():
    """A finger that no coarse corner sees beside the rectangle where it begins."""
    refinement = Refinement(5, 2, 3)
    finger = lambda p: "out" if p[0] <= 20 and 3 <= p[1] <= 5 else "in"  # noqa: E731
    known = refinement.refine(lambda points: {p: finger(p) if p != (0, 0) else "out" for p in points})
    assert max(p[0] for p, outcome in known.items() if outcome == "out") == 20


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_point_that_a_much_finer_neighbour_asked_for_is_seen(turned, mirrored):
    """An outlier on the common edge of two rectangles, at an eighth of it, to which only the first is divided."""

    def place(p):
        column, row = (p[1], p[0]) if turned else p
        return (16 - column if mirrored else column), row

    outside = {(0, 0), (4, 0), (6, 0), (8, 1)}
    refinement = Refinement(2, 3, 3) if turned else Refinement(3, 2, 3)
    refinement.refine(lambda points: {p: "out" if place(p) in outside else "in" for p in points})
    at = [leaf for leaf in refinement.leaves if (8, 1) in map(place, leaf.points(1))]
    assert [leaf.side for leaf in at] == [1] * 4


@pytest.mark.parametrize("seed", range(20))
def test_no_rectangle_that_is_left_whole_knows_two_outcomes(seed):
    refinement, rng = Refinement(4, 3, 4), np.random.default_rng(seed)
    outside = rng.random(refinement.shape) < 0.1
    known = refinement.refine(lambda points: {p: bool(outside[p]) for p in points})
    for leaf in (leaf for leaf in refinement.leaves if leaf.side > 1):
        assert len({known[p] for p in leaf.points(1) if p in known}) == 1


def test_labels_between_labels():
    assert lattice_labels([4, 16, 64], 1) == [4, 8, 16, 32, 64]
    assert lattice_labels([1, 2, 3], 2) == [1, 1, 2, 2, 2, 2, 2, 3, 3]
    assert lattice_labels([-1.0, 0.0, 1.0], 1) == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert lattice_labels([0.01, 0.1, 1.0], 1) == pytest.approx([0.01, 10**-1.5, 0.1, 10**-0.5, 1.0])


def test_the_margin_crosses_zero_where_a_line_says():
    margin = np.array([[2.0, 1.0, -1.0], [1.0, 1.0, 1.0]])
    assert crossings(margin, [0])[0] == 1.5 and math.isnan(crossings(margin, [1])[0])


@pytest.mark.parametrize(
    ("margin", "row"),
    [
        ([2.0, 0.0, -1.0], 1.0),
        ([-1.0, 0.0, 2.0], 1.0),
        ([0.0, -1.0, -2.0], 0.0),
        ([-2.0, -1.0, 0.0], 2.0),
        ([1.0, 0.0, 1.0], None),
        ([1.0, math.nan, -1.0], None),
        ([1.0, -math.inf, -1.0], None),
        ([math.nan, 3.0, -1.0], 1.75),
    ],
)
def test_a_boundary_through_a_judged_point_is_found(margin, row):
    (found,) = crossings(np.array([margin]), [0])
    assert math.isnan(found) if row is None else found == row


GRID = Grid(a=[1, 2, 4], b=[1.0, 2.0], word=["x", "y"], wild=[3, 1], seed=range(16))
CLAIM = Claim("demo.one", "s", "t", "monte_carlo", "v", Inside(0.0, 1.0), control=Control("m", test=Inside(2.0, 3.0)))
SAME = Claim("demo.same", "s", "t", "exact", "v", Identity(c=4.0, scale="v"), where={"word": "x"},
             control=Control("y", where={"word": "y"}))  # fmt: skip


@pytest.mark.parametrize(
    "given, message",
    [
        ({"claim": "demo.on"}, "unknown claim to map 'demo.on'"),
        ({"x": "c"}, "unknown axis of a map 'c'"),
        ({"x": "b"}, "x and y must be two axes"),
        ({"x": "word"}, "the axis word needs two or more finite numbers"),
        ({"x": "wild"}, "the labels of the axis wild must rise"),
        ({"x": "seed"}, "already uses seed"),
        ({"anchor": {"a": 1}}, "already uses a"),
        ({"anchor": 3}, "anchor must map axis names to labels"),
        ({"levels": -1}, "levels must be at least 0"),
        ({"levels": 9}, "levels must be at most 6"),
        ({"region": (1.0,)}, "region must be two numbers"),
        ({"claim": ""}, "claim must be a name"),
        ({"claim": "demo.same", "region": (0.0, 1.0)}, "Identity has a region of its own; leave out region"),
    ],
)
def test_impossible_maps_are_refused_by_name(given, message):
    arguments = {"claim": "demo.one", "x": "a", "y": "b"} | given
    with pytest.raises((InputError, UnknownNameError), match=message):
        Study("demo", "D", GRID, lambda cell, rng: {}, {"v": Variable("V")}, [CLAIM, SAME], maps=[Map(**arguments)])


@pytest.mark.parametrize(
    ("labels", "message"),
    [([1], "needs two or more finite numbers"), ([4, 1, 2], "the labels of the axis a must rise")],
)
def test_a_map_is_refused_by_the_labels_of_its_profile(tmp_path, labels, message):
    study = Study("demo", "D", GRID, lambda cell, rng: {"v": 0.0}, {"v": Variable("V")}, [CLAIM],
                  profiles={"standard": {"a": labels}}, maps=[Map("demo.one", x="a", y="b")])  # fmt: skip
    with pytest.raises(InputError, match=message):
        make_map(study, study.maps[0], RunSettings(out=tmp_path, profile="standard"))


def test_the_command_makes_the_maps_that_studies_declare_and_others(make, tmp_path, monkeypatch, capsys):
    make(levels=1)
    monkeypatch.chdir(tmp_path)
    run = lambda *options: cli._exit_code(["map", "--executor", "serial", *options])  # noqa: E731
    assert run() == 0
    assert "plane.disc over a and b: " in capsys.readouterr().out
    drawn = json.loads((tmp_path / "results" / "figures" / "index.json").read_text())
    assert [entry["name"] for entry in drawn] == ["map_plane_plane.disc.a.b"]
    assert (tmp_path / "results" / "figures" / "map_plane_plane.disc.a.b.png").stat().st_size > 5000
    assert run("--claim", "plane.line", "--x", "a", "--y", "b", "--levels", "0") == 0
    # Another claim of the same study over the same axes has a figure of its own.
    drawn = json.loads((tmp_path / "results" / "figures" / "index.json").read_text())
    assert [entry["png"] for entry in drawn] == ["map_plane_plane.disc.a.b.png", "map_plane_plane.line.a.b.png"]
    for options, message in (
        (("--claim", "plane.line"), "none of these studies declares such a map"),
        (("--x", "a"), "needs --claim, --x and --y, all three"),
        (("--claim", "plane.disc", "--x", "a", "--y", "kind"), "the axis kind needs two or more finite numbers"),
    ):
        assert run(*options) == 2 and message in capsys.readouterr().err
    make(levels=1, failing=True)
    assert run() == 3 and "cells failed" in capsys.readouterr().out


def test_a_boundary_that_moved_is_seen_by_diff(make, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "studies" / "study_plane.py"
    for folder, radius in (("old", "1.3"), ("new", "1.2")):
        make(levels=2)
        path.write_text(path.read_text().replace("1.3", radius))
        for command in (["map"], ["verify", "--claim", "plane.disc"]):
            assert cli._exit_code([*command, "--executor", "serial", "--out", folder]) == 0
    stored = json.loads((tmp_path / "old" / "ledger.json").read_text())["maps"]
    assert list(stored) == ["plane.map.plane.disc.a.b"]
    assert stored["plane.map.plane.disc.a.b"]["shares"]["supported"] == pytest.approx(1.327 / 4, abs=0.01)
    assert len(stored["plane.map.plane.disc.a.b"]["boundary"]) == 9
    assert stored["plane.map.plane.disc.a.b"]["regime"] == ""
    capsys.readouterr()
    assert cli._exit_code(["diff", "old", "new"]) == 0
    printed = capsys.readouterr().out
    assert "no verdict changed" in printed
    assert "of the area" in printed and "the boundary moved, at a = 0 from 1.3 to 1.2" in printed
    assert cli._exit_code(["diff", "old", "old"]) == 0 and "moved" not in capsys.readouterr().out


def test_a_file_that_is_no_map_is_named(make, tmp_path):
    make_map(study := make(levels=0), study.maps[0], RunSettings(out=tmp_path / "out"))
    path = map_path(tmp_path / "out", study, study.maps[0])
    dataset = read_map(path)
    for attribute, value in (("kind", "other"), ("shares", "[]"), ("boundary", "{}"), ("boundary", "[[1]]")):
        write_dataset(dataset.assign_attrs({attribute: value}), path)
        with pytest.raises(FileError, match="is not a map as unifiedscore map stores it"):
            read_map(path)
