"""The command line as a user meets it: exit codes, one clear paragraph, nothing half-written."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from unifiedscore import __version__, cli
from unifiedscore.ledger.report import write_report

STUDY = '''
"""A small study."""
import time

from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable


def measure(cell, rng):
    time.sleep({pause})
    if cell["dimension"] == {failing}:
        raise ValueError("no such dimension")
    return {{"mean": 1 + rng.standard_normal(100).mean()}}


shared = dict(source="elementary", evidence="monte_carlo", variable="mean", test=Inside({low}, 1.5))
two = Control("two", test=Inside(1.9, 2.5))
study = Study(
    name="means",
    title="Means",
    grid=Grid(dimension=[2, 4], seed=range(16)),
    measure=measure,
    variables={{"mean": Variable("Mean")}},
    claims=[
        Claim("means.one", "the mean is one", where={{"dimension": 2}}, control=two, **shared),
        Claim("means.all", "every mean is one", profile="standard", control=two, **shared),
    ],
)
'''
DERIVATION = """
import sympy
from unifiedscore.study import Derivation

t = sympy.Symbol("t", real=True)
derivation = Derivation(
    "trig.pythagoras",
    lambda: sympy.sin(t) ** 2 + sympy.cos(t) ** 2 - 1,
    lambda: sympy.sin(t) ** 2 - sympy.cos(t) ** 2 - 1,
    lambda rng: {agreement},
    statement="sin^2 + cos^2 = 1",
    source="Pythagoras",
)
"""
FIGURE = '''
"""Means against dimension."""
study = "means"
claims = ("means.one",)


def figure(dataset):
    from matplotlib.figure import Figure

    drawn = Figure()
    drawn.add_subplot().plot(dataset.dimension, dataset["{variable}"].mean("seed"))
    return drawn
'''


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A user's folder with one study, derivation and figure; the report is tested on its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("unifiedscore.ledger.report.write_report", lambda results: results / "report.html")

    def write(*, failing=-1, low=0.5, agreement=0.5, variable="mean", pause=0):
        sources = {
            "studies/study_means.py": STUDY.format(failing=failing, low=low, pause=pause),
            "derivations/derive_trig.py": DERIVATION.format(agreement=agreement),
            "figures/fig_means.py": FIGURE.format(variable=variable),
        }
        for name, text in sources.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text.lstrip())
        return tmp_path

    return write


def call(*arguments):
    return cli._exit_code(list(arguments))


def verify(*arguments):
    return call("verify", "--executor", "serial", *arguments)


def ledger(folder="results"):
    return json.loads(Path(folder, "ledger.json").read_text())


def test_verify_writes_ledger_data_set_and_figures_and_exits_with_zero(project, capsys):
    root = project()
    assert verify() == 0
    stored = ledger()
    outcomes = {verdict["claim"]: verdict["outcome"] for verdict in stored["verdicts"]}
    assert outcomes == {"means.one": "supported", "trig.pythagoras": "supported"}
    assert all(verdict["control_outcome"] == "refuted" for verdict in stored["verdicts"])
    assert [entry["claim"] for entry in stored["not_run"]] == ["means.all"]
    assert (root / "results/means.nc").exists()
    assert sorted(path.name for path in (root / "results/figures").iterdir()) == [
        *("index.json", "means.csv", "means.pdf", "means.png")
    ]
    assert json.loads((root / "results/figures/index.json").read_text())[0]["claims"] == ["means.one"]
    captured = capsys.readouterr()
    assert "all as expected, every control refuted" in captured.out and captured.err == ""


def test_each_command_has_a_file_of_its_name():
    modules = {command.name: command.callback.__module__ for command in cli.app.registered_commands}
    groups = {group.name: group.typer_instance.registered_commands for group in cli.app.registered_groups}
    modules |= {name: commands[0].callback.__module__ for name, commands in groups.items()}
    assert len(modules) == 15
    assert modules == {name: f"unifiedscore.cli.{name.replace('-', '_')}" for name in modules}


def test_the_version_is_told_without_a_command(capsys):
    assert call("--version") == 0
    assert capsys.readouterr().out == f"unifiedscore {__version__}\n"


def test_every_verdict_is_listed_on_request_and_the_report_is_pointed_at(project, capsys):
    project()
    assert verify() == 0
    short = capsys.readouterr().out
    assert "means.one" not in short and "Report: results/report.html  Ledger: results/ledger.json" in short
    for flag in ("-v", "--verbose"):
        assert call("judge", "--executor", "serial", flag) == 0
        out = capsys.readouterr().out
        assert "ok  supported  means.one  " in out and "ok  supported  trig.pythagoras  " in out
        assert "unifiedscore report results shows it as a page" in out


def test_a_verdict_that_differs_exits_with_one(project, capsys):
    project(low=1.3)
    assert verify() == 1
    assert "NOT AS EXPECTED  means.one: expected supported" in capsys.readouterr().out


def test_a_failed_cell_exits_with_three_and_stands_in_the_ledger(project, capsys):
    project(failing=4)
    assert verify() == 3
    failed = ledger()["failed_cells"]
    assert len(failed) == 16 and failed[0]["study"] == "means" and failed[0]["cell"] == {"dimension": 4, "seed": 0}
    assert "ValueError: no such dimension (study_means.py, line" in capsys.readouterr().out
    assert call("run", "--executor", "serial") == 3


@pytest.mark.parametrize("broken", [{"agreement": "1 / 0"}, {"variable": "meen"}])
def test_a_derivation_or_figure_that_raises_exits_with_three_and_the_rest_goes_on(project, capsys, broken):
    project(**broken)
    assert verify() == 3
    assert "means.one" in [verdict["claim"] for verdict in ledger()["verdicts"]]
    captured = capsys.readouterr()
    assert "ZeroDivisionError" in captured.out or "'meen'" in captured.err


def test_one_claim_alone(project):
    project()
    assert verify("--claim", "trig.pythagoras", "--out", "one") == 0
    assert [verdict["claim"] for verdict in ledger("one")["verdicts"]] == ["trig.pythagoras"]
    assert not os.path.exists("one/means.nc")
    assert verify("--claim", "means.all", "--profile", "standard") == 0
    assert [verdict["claim"] for verdict in ledger()["verdicts"]] == ["means.all"]


def test_verify_until_decided_adds_seeds_and_says_which_look_decided(project, capsys):
    project(low=0.97)  # at the first sixteen seeds, at half of each error rate, too near to one
    assert verify("--profile", "standard", "--claim", "means.one", "--until-decided", "-v") == 0
    (found,) = ledger()["verdicts"]
    assert found["looks"]["decided_at"] == found["looks"]["look"] > 1
    assert found["looks"]["seeds"] == found["cells"] == 16 * 2 ** (found["looks"]["look"] - 1)
    assert found["reproduce"].endswith("--claim means.one --profile standard --until-decided")
    assert f"look {found['looks']['look']} at {found['cells']} seeds" in capsys.readouterr().out
    # Judged again without a word about looks, the data say how they came about.
    assert call("judge", "--executor", "serial", "--claim", "means.one") == 0
    assert ledger()["verdicts"][0]["looks"] == found["looks"]


def test_the_parts_together_give_what_verify_gives(project, capsys):
    project()
    assert verify("--out", "whole") == 0
    assert call("run", "--out", "parts", "--executor", "serial", "--study", "means") == 0
    assert "means: 32 ok" in capsys.readouterr().out
    assert call("judge", "--out", "parts", "--executor", "serial") == 0
    assert call("figures", "--out", "parts", "--executor", "serial") == 0
    assert ledger("parts") == ledger("whole")
    assert call("diff", "parts", "whole/ledger.json") == 0
    assert Path("parts/figures/means.png").read_bytes() == Path("whole/figures/means.png").read_bytes()
    assert call("status", "parts") == 0
    assert "means (quick): 32 done, 0 failed, 0 missing" in capsys.readouterr().out


def test_a_figure_of_a_larger_profile_waits_for_its_data(project, capsys):
    root = project()
    with (root / "figures/fig_means.py").open("a") as file:
        file.write('profile = "standard"\n')
    assert verify() == 0
    assert "figure means needs data of the profile standard" in capsys.readouterr().err
    assert not (root / "results/figures/means.png").exists()
    assert json.loads((root / "results/figures/index.json").read_text()) == []
    assert verify("--profile", "standard") == 0
    assert (root / "results/figures/means.png").exists()


def test_judge_sees_an_edited_claim_without_measuring_again(project):
    project()
    assert call("run", "--executor", "serial") == 0
    stamp = os.stat("results/means.nc").st_mtime_ns
    project(low=1.3)
    assert call("judge", "--executor", "serial") == 1
    assert os.stat("results/means.nc").st_mtime_ns == stamp


def test_diff_exits_with_one_where_a_verdict_changed(project, capsys):
    project()
    verify("--out", "old")
    project(low=1.3)
    verify("--out", "new")
    capsys.readouterr()
    assert call("diff", "old", "new") == 1
    assert "means.one [monte_carlo]: supported" in capsys.readouterr().out


def test_status_counts_what_is_missing(project, capsys):
    root = project()
    call("run", "--executor", "serial")
    for path in sorted((root / "results/cells/means").glob("*.json"))[:10]:
        path.unlink()
    assert call("status") == 0
    assert "22 done, 0 failed, 10 missing, about" in capsys.readouterr().out


def test_list_shows_studies_claims_derivations_and_figures(project, capsys):
    project()
    assert call("list") == 0
    out = capsys.readouterr().out
    for text in ("means: Means", "means.one: the mean is one", "derivation of trig.pythagoras", "figure means: Means"):
        assert text in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "nowhere"], "nowhere does not exist"),
        (["verify", "--profile", "quik"], "unknown profile 'quik'; the nearest known names are: quick"),
        (["verify", "--claim", "means.on"], "unknown claim 'means.on'; the nearest known names are: means.one"),
        (["run", "--study", "mean"], "unknown study 'mean'; the nearest known names are: means"),
        (["verify", "--executor", "slurm"], "unknown executor 'slurm'"),
        (["verify", "--executor", "dask://nowhere"], "dask"),
        (["verify", "--workers", "0"], "workers must be at least 1"),
        (["verify", "--seed", "-1"], "--seed must be at least 0"),
        (["verify", "--seed", "x"], "integer"),
        (["verify", "--bogus"], "No such option"),
        (["verify", "--budget", "10m"], "--budget bounds the time that --until-decided takes; give both"),
        (["verify", "--until-decided", "--budget", "soon"], "--budget must be a time such as 90s, 10m or 2h"),
        (["verify", "--until-decided", "--most-seeds", "0"], "--most-seeds must be at least 1"),
        (["verify", "--out", "file"], "--out must be a folder"),
        (["verfy"], "No such command"),
        (["judge"], "results/means.nc does not exist"),
        (["diff", "results", "results"], "cannot read results/ledger.json"),
        (["diff", "results"], "Missing argument"),
        (["status", "nowhere"], "nowhere is not a folder"),
        (["status", "studies"], "no study has been run into studies"),
        (["diagnose", "a.npy", "b.npy", "--queries", "x.npy"], "--queries and --field belong together"),
    ],
)
def test_bad_usage_is_one_paragraph_and_exit_code_two(project, capsys, arguments, message):
    root = project()
    (root / "file").write_text("")
    before = sorted(root.rglob("*"))
    assert call(*arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1 and captured.err.startswith("unifiedscore: ")
    assert [path for path in sorted(root.rglob("*")) if path not in before] == []


@pytest.mark.parametrize("arguments", ["--help", "list"])
def test_a_reader_who_has_gone_is_no_error(project, arguments):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-u", "-m", "unifiedscore", arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=project())
    os.close(writing)
    assert done.returncode == 0 and done.stderr == ""


def test_nothing_found_is_exit_code_two_with_advice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("verify") == 2
    assert "expected studies/study_*.py" in capsys.readouterr().err


def test_a_defect_is_reported_without_a_traceback(project, capsys, monkeypatch):
    project()
    monkeypatch.setattr("unifiedscore.study.discover.discover", lambda *_: [][0])
    assert call("list") == 2
    assert "IndexError" in (text := capsys.readouterr().err) and "Traceback" not in text
    monkeypatch.setenv("UNIFIEDSCORE_TRACEBACK", "1")
    with pytest.raises(IndexError):
        call("list")


def test_ctrl_c_ends_a_run_and_says_how_to_resume(project):
    # Long enough that a busy machine does not finish before it is interrupted.
    root = project(pause=0.6)
    command = [sys.executable, "-m", "unifiedscore.cli", "run", "studies", "--workers", "2"]
    process = subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True, start_new_session=True)
    folder = root / "results/cells/means"
    deadline = time.monotonic() + 30
    while len(list(folder.glob("*.json"))) < 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the same command takes up where this one stopped" in errors and "Traceback" not in errors
    assert len(list(folder.glob("*.json"))) >= 6 and not list(folder.glob(".*.partial"))


def test_help_is_fast_and_complete(project):
    code = textwrap.dedent("""
        import sys, time
        start = time.perf_counter()
        from unifiedscore.cli import main
        try:
            main(["--help"])
        finally:
            print(time.perf_counter() - start, "numpy" in sys.modules, file=sys.stderr)
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in ("verify", "run", "judge", "figures", "report", "list", "status", "diff", "diagnose"):
        assert name in done.stdout
    seconds, heavy = done.stderr.split()
    assert float(seconds) < 2 and heavy == "False"


OTHER = STUDY.replace('"means', '"others')


def write_other(root):
    (root / "studies/study_others.py").write_text(OTHER.format(failing=-1, low=0.5, pause=0).lstrip())


def test_one_claim_or_file_again_keeps_the_other_verdicts_and_figures(project, capsys):
    root = project()
    write_other(root)
    assert verify() == 0
    whole, index = ledger(), Path("results/figures/index.json").read_text()
    capsys.readouterr()
    assert verify("--claim", "trig.pythagoras") == 0
    assert "1 verdict: 1 supported" in (out := capsys.readouterr().out) and "keeps 2 verdicts" in out
    for arguments in (["verify", "studies/study_others.py"], ["judge", "studies/study_means.py"]):
        assert call(*arguments, "--executor", "serial") == 0
        again = ledger()
        assert {v["claim"]: v for v in again["verdicts"]} == {v["claim"]: v for v in whole["verdicts"]}
        assert again["monte_carlo_verdicts"] == 2 and again["stale"] == [] and len(again["not_run"]) == 2
        assert Path("results/figures/index.json").read_text() == index
    (root / "studies/study_others.py").unlink()
    assert verify() == 0
    assert {v["claim"] for v in ledger()["verdicts"]} == {"means.one", "trig.pythagoras"}


def test_a_claim_at_another_seed_leaves_what_was_judged_before(project, capsys):
    project()
    verify()
    first = ledger()
    capsys.readouterr()
    assert verify("--claim", "means.one", "--seed", "3") == 0
    assert "do not belong to this run and are replaced; they are kept in" in capsys.readouterr().err
    (found,) = ledger()["verdicts"]
    assert found["reproduce"] == "unifiedscore verify --claim means.one --seed 3"
    assert json.loads(Path("results/ledger-quick-seed0.json").read_text()) == first
    (before,) = (verdict for verdict in first["verdicts"] if verdict["claim"] == "means.one")
    assert found["estimate"] != before["estimate"]
    # Back at the first seed, one claim is judged again and the others are still there; and so once more.
    assert verify("--claim", "trig.pythagoras") == 0 and len(ledger()["verdicts"]) == 2
    assert verify("--claim", "trig.pythagoras", "--seed", "3") == 0
    assert {verdict["claim"] for verdict in ledger()["verdicts"]} == {"means.one", "trig.pythagoras"}
    assert ledger()["root_seed"] == 3
    capsys.readouterr()
    assert call("diff", "results/ledger-quick-seed0.json", "results") == 0
    assert capsys.readouterr().out.splitlines() == ["note: root seed 0 -> 3", "no verdict changed"]


def test_a_claim_at_another_seed_in_a_folder_of_its_own_compares_with_the_whole(project, capsys):
    project()
    verify()
    first = Path("results/ledger.json").read_bytes()
    assert verify("--claim", "means.one", "--seed", "3", "--out", "again") == 0
    assert verify("--claim", "trig.pythagoras", "--seed", "3", "--out", "again") == 0
    assert Path("results/ledger.json").read_bytes() == first
    assert len(ledger("again")["verdicts"]) == 2 and ledger("again")["monte_carlo_verdicts"] == 1
    assert call("diff", "results", "again") == 0


def test_the_printed_command_names_a_file_that_is_not_found_by_itself(project):
    root = project()
    (root / "studies").rename(root / "my work")
    assert verify("my work/study_means.py", "--seed", "2") == 0
    (found,) = ledger()["verdicts"]
    assert found["reproduce"] == "unifiedscore verify 'my work/study_means.py' --claim means.one --seed 2"


def test_a_report_shows_no_figure_of_another_run(project, capsys, monkeypatch):
    monkeypatch.setattr("unifiedscore.ledger.report.write_report", write_report)
    root = project()
    assert verify() == 0
    report = root / "results/report.html"
    assert "data:image/png" in report.read_text()
    call("run", "--executor", "serial", "--seed", "1")
    assert call("figures") == 0 and call("report") == 0
    message = "figure means is left out of the report: it shows means with root seed 1, where 0 was judged"
    assert message in capsys.readouterr().err and "data:image/png" not in report.read_text()
    path = root / "studies/study_means.py"
    path.write_text(path.read_text() + "# other\n")
    call("run", "--executor", "serial")
    assert call("figures") == 0 and call("report") == 0
    assert "shows means as another state of the code measured it" in capsys.readouterr().err
    assert verify() == 0 and "data:image/png" in report.read_text()


def test_judge_names_data_of_another_version_of_the_study(project, capsys):
    root = project()
    call("run", "--executor", "serial")
    path = root / "studies/study_means.py"
    path.write_text(path.read_text().replace("1 + rng", "1.001 + rng"))
    capsys.readouterr()
    assert call("judge", "--executor", "serial") == 1
    captured = capsys.readouterr()
    assert "means: its data are stale (study_means.py changed)" in captured.err
    assert "judged on stale data (means)" in captured.out and ledger()["stale"] == ["means"]
    assert call("status") == 0
    assert "means (quick): 32 cells stale: study_means.py changed; 32 missing" in capsys.readouterr().out
    assert verify() == 0 and ledger()["stale"] == []


def test_a_kept_verdict_of_a_changed_study_is_stale(project):
    root = project()
    write_other(root)
    verify()
    with (root / "studies/study_others.py").open("a") as file:
        file.write("# edited\n")
    assert verify("studies/study_means.py") == 0
    assert ledger()["stale"] == ["others"]


def test_nothing_judged_exits_with_one(project, capsys):
    project()
    assert verify("--claim", "means.all") == 1
    assert "nothing was judged" in capsys.readouterr().out


def test_a_file_that_calls_sys_exit_is_bad_input(project, capsys):
    root = project()
    path = root / "studies/study_means.py"
    path.write_text("import sys\nsys.exit(0)\n" + path.read_text())
    assert verify() == 2 and call("list") == 2
    assert "SystemExit: 0 (study_means.py, line 2)" in capsys.readouterr().err
    assert not os.path.exists("results")


def test_sys_exit_in_a_derivation_or_figure_exits_with_three(project, capsys):
    project(agreement="__import__('sys').exit(0)")
    assert verify() == 3
    root = project()
    path = root / "figures/fig_means.py"
    path.write_text(path.read_text().replace("drawn = Figure()", "raise SystemExit(0)"))
    assert verify() == 3 and call("figures", "--executor", "serial") == 3
    assert "SystemExit: 0" in capsys.readouterr().err


@pytest.mark.parametrize("content", ['{"verdicts": [{"claim": "a"}]}', "7", "[]"])
def test_a_foreign_ledger_or_manifest_is_bad_input(project, capsys, content):
    root = project()
    verify()
    path = root / "results/ledger.json"
    stored = json.loads(path.read_text())
    parsed = json.loads(content)
    path.write_text(json.dumps(stored | parsed if isinstance(parsed, dict) else parsed))
    assert call("diff", "results", "results") == 2
    (root / "results/cells/means/run.manifest").write_text(content)
    assert call("status") == 2
    assert "defect" not in capsys.readouterr().err
