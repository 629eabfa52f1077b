"""Stored summaries: written from results, copied beside them, refused when damaged, shown and escaped in the report."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore import cli
from unifiedscore.errors import FileError, StudyError
from unifiedscore.ledger import Ledger
from unifiedscore.ledger.report import write_report
from unifiedscore.ledger.summary import PARTS, Summary, copy_summaries, read_summaries, summarise
from unifiedscore.study import Claim, Control, Grid, Proportion, Study, Variable, judge
from unifiedscore.study.discover import discover


def measure(cell, rng):
    return {"share": rng.binomial(1000, 0.002) / 1000, "other": rng.binomial(1000, 0.4) / 1000}


STUDY = Study(
    "rare", "Rare events", Grid(seed=range(16)), measure, {"share": Variable("Share"), "other": Variable("Other")},
    [Claim("rare.share", "rare <events>", "derived here", "monte_carlo", "share", Proportion(0, 0.01, 1000),
           control=Control("a common event", variable="other"))],
)  # fmt: skip


@pytest.fixture
def results(tmp_path):
    dataset = us.run(STUDY, out=tmp_path)
    Ledger(profile="quick", root_seed=0, verdicts=judge(STUDY, dataset)).write(tmp_path)
    return tmp_path


@dataclass
class Item:
    path: Path


@dataclass
class Found:
    studies: list


def test_a_proportion_is_judged_with_its_control_and_says_how_many_trials(results):
    (verdict,) = judge(STUDY, us.open_results(results)["rare"].to_dataset())
    assert (verdict.outcome, verdict.control_outcome) == ("supported", "refuted")
    assert verdict.interval["kind"] == "binomial" and verdict.interval["level"] == 0.99
    assert "16 seeds of 1000 trials" in verdict.reason and verdict.reason.startswith("the share")


def test_too_few_trials_say_how_many_seeds_would_do(results):
    dataset = us.open_results(results)["rare"].to_dataset().isel(seed=slice(0, 3))
    tight = [Claim("rare.share", "s", "derived here", "monte_carlo", "share", Proportion(0, 0.0028, 1000),
                   control=Control("a common event", variable="other"))]  # fmt: skip
    verdict = judge(Study("rare", "Rare", Grid(seed=range(16)), measure, STUDY.variables, tight), dataset)[0]
    assert verdict.outcome == "inconclusive" and "seeds would do" in verdict.reason


def export(results, *options):
    return cli._exit_code(["export", str(results), "--format", "summary", *options])


def test_a_summary_goes_from_results_to_the_report_of_another_run(results, tmp_path):
    beside = tmp_path / "studies" / "rare.summary.json"
    beside.parent.mkdir()
    assert export(results, "--study", "rare", "--title", "Rare <b>", "--out", str(beside)) == 0
    summary = Summary.read(beside)
    assert summary.profile == "quick" and summary.date.count("-") == 2 and summary.commit
    (kept,), (judged,) = summary.verdicts, Ledger.read(results).verdicts
    assert all(getattr(kept, part) == getattr(judged, part) for part in PARTS)
    copy_summaries(Found([Item(beside.parent / "study_rare.py")]), results)
    (shown,) = read_summaries(results)
    assert shown == summary and shown.kept_expectations == len(shown.verdicts) == 1
    text = write_report(results).read_text()
    assert "Rare &lt;b&gt;" in text and "<b>Rare" not in text and "rare &lt;events&gt;" in text
    assert summary.date in text and "exact for counts at 99 %" in text


@pytest.mark.parametrize(
    "change",
    [
        lambda s: [],
        lambda s: s | {"schema_version": 2},
        lambda s: s | {"title": 3},
        lambda s: s | {"root_seed": "0"},
        lambda s: s | {"verdicts": {}},
        lambda s: s | {"verdicts": [3]},
        lambda s: s | {"verdicts": [{"claim": "a"}]},
        lambda s: s | {"verdicts": [s["verdicts"][0] | {"region": {"low": "x", "high": 1}}]},
        lambda s: s | {"verdicts": [s["verdicts"][0] | {"interval": {}}]},
        lambda s: s | {"verdicts": [s["verdicts"][0] | {"outcome": "fine"}]},
    ],
)
def test_a_damaged_summary_is_refused_by_its_name(results, change):
    path = results / "summaries" / "rare.summary.json"
    path.parent.mkdir()
    path.write_text(json.dumps(change(json.loads(summarise(results, ["rare"], title="Rare").text()))))
    with pytest.raises(FileError, match=r"rare\.summary\.json"):
        write_report(results)


def test_a_summary_of_what_was_not_judged_or_is_stale_is_refused(results, capsys):
    ledger = json.loads((results / "ledger.json").read_text())
    (results / "ledger.json").write_text(json.dumps(ledger | {"stale": ["rare"]}))
    with pytest.raises(StudyError, match="rare"):
        summarise(results, ["rare"], title="Rare")
    assert export(results, "--study", "rare", "--title", "R", "--out", "rare.json") == 2
    assert "summary.json" in capsys.readouterr().err
    assert export(results, "--study", "rare") == 2 and export(results, "--title", "R") == 2
    assert np.all([not path.name.startswith("rare.json") for path in results.iterdir()])


def test_the_stored_summaries_of_this_repository_are_sound_and_of_studies_that_exist():
    root = Path(__file__).parents[2]
    paths = sorted((root / "reference").glob("*.summary.json"))
    names = {item.study.name for item in discover([root], kinds=("studies",)).studies}
    assert paths
    for path in paths:
        summary = Summary.read(path)
        assert summary.text() == path.read_text()
        for verdict in summary.verdicts:
            assert verdict.study in names
