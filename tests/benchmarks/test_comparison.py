"""The machinery of the speed report: what a ratio is, that sides take turns, that nothing is silently dropped."""

import argparse
import importlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2] / "benchmarks"
OPTIONS = argparse.Namespace(repeats=6, seconds=100.0)


@pytest.fixture
def load(monkeypatch):
    """Import a module that stands beside the benchmarks, as they do."""
    monkeypatch.syspath_prepend(HERE)
    return importlib.import_module


@pytest.fixture
def comparison(load):
    return load("comparison")


@pytest.fixture
def clock(comparison, monkeypatch):
    """A clock that only `sides` advance: functions that take the seconds they are given and note their turn."""
    now, turns = [0.0], []
    monkeypatch.setattr(comparison.time, "perf_counter", lambda: now[0])

    def side(name, duration, result=1.0):
        def call():
            now[0] += duration
            turns.append(name)
            return [result]

        return call

    return side, turns


def test_ratio_is_ours_over_the_peers_and_quartiles_are_those_of_paired_ratios(comparison):
    row = comparison.Row("what", "peer", (2.0, 4.0, 6.0, 4.0, 4.0), (1.0, 1.0, 2.0, 8.0, 1.0), target=3.9)
    assert row.ratio == 4.0
    assert row.ratios == (2.0, 4.0, 3.0, 0.5, 4.0)
    assert row.quartiles == (2.0, 4.0)
    assert row.missed and not comparison.Row("what", "peer", (2.0,), (4.0,), target=0.5).missed


def test_sides_take_turns_and_each_time_goes_to_its_own_side(comparison, clock):
    side, turns = clock
    row = comparison.compare("what", side("a", 1.0), "peer", side("b", 4.0), options=OPTIONS, tolerance=0.0)
    assert "".join(turns[-12:]) == "abbaabbaabba"
    assert row.ours == (1.0,) * 6 and row.theirs == (4.0,) * 6 and row.difference == 0.0


def test_short_calls_are_timed_together(comparison, clock):
    side, turns = clock
    row = comparison.compare("what", side("a", 2**-10), "peer", side("b", 1.0), options=OPTIONS)
    assert row.ours == (2**-10,) * 6
    assert turns.count("a") >= 6 * comparison.SHORTEST * 2**10
    assert turns.count("b") == 8, "a warm-up, one to see how long it takes, six runs"


def test_time_limit_leaves_enough_pairs_for_quartiles(comparison, clock):
    side, _ = clock
    options = argparse.Namespace(repeats=100, seconds=70.0)
    long = comparison.compare("what", side("a", 30.0), "peer", side("b", 30.0), options=options)
    short = comparison.compare("what", side("a", 3.0), "peer", side("b", 4.0), options=options)
    assert len(long.ours) == comparison.LEAST and len(short.ours) == 10


def test_other_numbers_are_not_timed(comparison, clock):
    side, turns = clock
    with pytest.raises(ArithmeticError, match="shift: rival gives other numbers"):
        comparison.compare("shift", side("a", 1.0, 1.0), "rival", side("b", 1.0, 2.0), options=OPTIONS, tolerance=0.4)
    with pytest.raises(ArithmeticError, match="other numbers"):
        comparison.compare("s", side("a", 1.0, float("nan")), "b", side("b", 1.0), options=OPTIONS, tolerance=0.4)
    with pytest.raises(ArithmeticError, match=r"shapes \(1,\) and \(2,\)"):
        comparison.relative_difference([1.0], [1.0, 1.0])
    assert turns == ["a", "b"] * 2


def test_a_peer_that_is_not_installed_is_named(comparison, clock, load):
    side, _ = clock
    row = comparison.compare("shift", side("a", 1.0), "KeOps", None, options=OPTIONS, needs="pykeops", target=1.0)
    assert row.ours == (1.0,) * 6 and not row.missed
    assert "| KeOps: not installed (pykeops) | 1 s |  |  |" in row.markdown()
    report = load("report")
    drawn = report.figure([row], {})
    assert "not installed (pykeops)" in [text.get_text() for text in drawn.axes[0].texts]
    assert "1 peers not installed" in report.summary([row])
    assert not comparison.installed("a_package_nobody_has")


def test_table_has_a_cell_for_each_heading(comparison, load):
    rows = [
        comparison.Row("a|b", "torch", (1.0, 3.0, 2.0), (2.0, 2.0, 2.0), 0.9, 3e-16, benchmark="posterior"),
        comparison.limited("memory", [250.0], 100.0, unit="MB"),
    ]
    text = load("report").markdown(rows, {"BLAS": "some 1.0"}, ["bench_x.py: broke"])
    head, _, *body = [line for line in text.splitlines() if line.startswith("|")]
    assert head == comparison.HEAD[0]
    assert body == [
        "| posterior | a\\|b | float64 | torch | 2 s | 2 s | **1** | 0.75 to 1.25 | ≤ 0.9 (missed) | 3e-16 |",
        "|  | memory | float64 | a limit of 100 MB | 250 MB | 100 MB | **2.5** |  | ≤ 1 (missed) |  |",
    ]
    assert "- BLAS: some 1.0" in text and "- bench_x.py: broke" in text


def test_figure_puts_each_ratio_on_its_row_beside_the_line_at_one(comparison, load):
    rows = [
        comparison.Row("x", "torch", (1.0, 1.0), (4.0, 2.0), benchmark="first"),
        comparison.Row("y", "own sum", (9.0,), (3.0,), benchmark="second", kind="own"),
    ]
    first, second = load("report").figure(rows, {}).axes
    assert [first.get_title(loc="left"), second.get_title(loc="left")] == ["first", "second"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["x  /  torch"]
    drawn = [(list(line.get_xdata()), list(line.get_ydata())) for line in first.lines]
    assert drawn[0][0] == [1, 1]
    assert ([0.25, 0.5], [0, 0]) in drawn and ([1 / 3], [0]) in drawn
    assert ([3.0], [0]) in [(list(line.get_xdata()), list(line.get_ydata())) for line in second.lines]
    assert first.get_xscale() == "log"


SCRIPT = """
from comparison import limited, main, options_parser
def rows(options):
    yield limited("kept", [0.5], 1.0)
    {then}
main(rows, options_parser(""))
"""


@pytest.mark.parametrize(
    ("then", "failure"), [("", ""), ("raise ValueError('out of luck')", "bench_own.py: ValueError: out of luck")]
)
def test_what_was_measured_survives_a_benchmark_that_breaks(load, monkeypatch, tmp_path, then, failure):
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
    path = tmp_path / "bench_own.py"
    path.write_text(SCRIPT.format(then=then))
    options = argparse.Namespace(threads=1, repeats=5, seconds=0.0, quick=True, timeout=300.0)
    rows, why = load("run").measure(path, tmp_path / "rows.json", options)
    assert [(row.benchmark, row.what, row.ratio) for row in rows] == [("own", "kept", 0.5)]
    assert why == failure


def test_what_was_measured_survives_a_benchmark_that_takes_too_long(load, comparison, monkeypatch, tmp_path):
    run = load("run")
    row = comparison.Row("kept", "torch", (1.0,), (2.0,))

    def endless(command, timeout, **_):
        (tmp_path / "rows.json").write_text(json.dumps(asdict(row)) + "\n")
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(run.subprocess, "run", endless)
    options = argparse.Namespace(threads=1, repeats=5, seconds=0.0, quick=False, timeout=7.0)
    found = run.measure(tmp_path / "bench_own.py", tmp_path / "rows.json", options)
    assert found == ([row], "bench_own.py: given up after 7 s")


def test_every_benchmark_is_run_unless_named(load):
    run = load("run")
    everything = run.read_options([])
    names = {path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py")}
    assert {path.stem.removeprefix("bench_") for path in everything.benchmarks} == names - {*run.ON_THEIR_OWN}
    assert everything.out.name == "reference"
    assert [path.stem for path in run.read_options(["tilting"]).benchmarks] == ["bench_tilting"]
    with pytest.raises(SystemExit):
        run.read_options(["nothing"])


@pytest.mark.parametrize("path", sorted(HERE.glob("bench_*.py")), ids=lambda path: path.stem)
def test_benchmarks_can_be_read_without_their_peers(load, monkeypatch, path):
    for peer in ("torch", "jax", "pykeops"):
        monkeypatch.setitem(sys.modules, peer, None)
    assert callable(load(path.stem).rows)


def test_rows_survive_the_file_between_the_processes(comparison, tmp_path):
    row = comparison.Row("w", "p", (1.0, 2.0), (3.0, 4.0), 1.0, 1e-9, benchmark="b", kind="own")
    (tmp_path / "rows.json").write_text(json.dumps(asdict(row)) + "\n")
    assert comparison.read_rows(tmp_path / "rows.json") == [row]
    assert comparison.read_rows(tmp_path / "absent.json") == []
