"""The README's Python runs as printed, and its study comes out supported."""

import re
from pathlib import Path

import pytest

import unifiedscore as us
from unifiedscore.study.discover import figure_in, load_module

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
STUDY = next(block for block in BLOCKS if block.startswith("# studies/study_mine.py"))
FIGURE = next(block for block in BLOCKS if block.startswith("# figures/fig_mine.py"))
# A cluster and a pytest run of their own; tests/study/test_distributed.py and tests/test_pytest_plugin.py have them.
ELSEWHERE = ("dask_jobqueue", "claim_verdict")
RUN = [block for block in BLOCKS if block not in (STUDY, FIGURE) and not any(name in block for name in ELSEWHERE)]


@pytest.mark.parametrize("block", RUN, ids=range(len(RUN)))
def test_an_example_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})


def test_every_block_compiles():
    assert len(RUN) >= 5
    for block in BLOCKS:
        compile(block, "README.md", "exec")


def test_its_study_is_supported_and_its_control_refuted(tmp_path):
    path = tmp_path / "studies" / "study_mine.py"
    path.parent.mkdir()
    path.write_text(STUDY)
    study = load_module(path).study
    dataset = us.run(study, out=tmp_path / "results")
    (verdict,) = us.judge(study, dataset)
    assert (verdict.outcome, verdict.control_outcome) == ("supported", "refuted")
    # Its figure names the study and the claim, draws, and states the numbers of the verdict.
    path = tmp_path / "figures" / "fig_mine.py"
    path.parent.mkdir()
    path.write_text(FIGURE)
    found = figure_in(path)
    assert (found.title, found.studies, found.claims) == ("Norms concentrate", ("mine",), (verdict.claim,))
    texts = [text.get_text() for text in found.figure(dataset).axes[0].get_legend().get_texts()]
    numbers = [verdict.estimate, verdict.interval["low"], verdict.interval["high"]]
    slope, low, high = (f"{value:.3g}".replace("-", "\N{MINUS SIGN}") for value in numbers)
    assert f"radius variance: slope {slope} [{low}, {high}]" in texts
