"""What is wrong with a figure is said once, with its remedy."""

import pytest

from unifiedscore import cli
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable, run


@pytest.fixture
def results(tmp_path):
    claim = Claim(
        "mine.mean",
        "The mean is one.",
        "derived",
        "monte_carlo",
        "y",
        Inside(0.5, 1.5),
        control=Control("five", test=Inside(4.5, 5.5)),
    )
    grid, variables = Grid(seed=range(16)), {"y": Variable("Value")}
    study = Study("norms", "Norms", grid, lambda cell, rng: {"y": 1 + 0.1 * rng.normal()}, variables, [claim])
    run(study, out=tmp_path / "results")
    return tmp_path / "results"


def draw(results, text, capsys):
    path = results.parent / "fig_bad.py"
    path.write_text(text)
    code = cli._exit_code(["figures", str(path), "--out", str(results), "--executor", "serial"])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("study = 'norsm'\ndef figure(dataset):\n    return 1\n", "the nearest known names are: norms"),
        ("study = 'norms'\ndef figure(dataset):\n    return 1 / 0\n", "division by zero (fig_bad.py, line 3)"),
        ("study = 'norms'\ndef figure(dataset):\n    pass\n", "a matplotlib Figure, such as ax.figure; got None"),
        (
            "study = 'norms'\nfrom unifiedscore.plotting import plot_scaling\n"
            "def figure(dataset):\n    return plot_scaling(dataset, 'x', 'seed')\n",
            "unknown variable 'x'",
        ),
    ],
)  # fmt: skip
def test_the_message_names_the_figure_once_and_the_remedy(results, capsys, text, message):
    code, err = draw(results, text, capsys)
    assert code == 3 and message in err
    assert err.count("figure bad:") == 1 and err.startswith("FAILED  figure bad: ")


def test_without_any_data_the_message_says_what_to_run(tmp_path, capsys):
    (tmp_path / "results").mkdir()
    code, err = draw(tmp_path / "results", "study = 'norms'\ndef figure(dataset):\n    pass\n", capsys)
    assert code == 3 and "measure it with unifiedscore run" in err


def test_the_help_says_what_a_figure_file_holds(capsys):
    with pytest.raises(SystemExit):
        cli.main(["figures", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for part in ("fig_NAME.py", 'study = "mine"', "figure(dataset)", "matplotlib Figure", "title =", "claims ="):
        assert part in text
