"""Every block of code of README and of the documentation runs as printed, page by page as a reader would type it."""

import re
import shlex
from pathlib import Path

import pytest
import typer

import unifiedscore as us
from unifiedscore.cli import app
from unifiedscore.study.discover import figure_in, load_module

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").rglob("*.md") if "generated" not in p.parts)]
BLOCK = re.compile(r"(?:<!-- runs in (\S+) -->\n)?```(python|sh)\n(.*?)```", re.DOTALL)
FILE = re.compile(r"# ([\w/]+\.py)\n")


def blocks(path, language):
    """The blocks of a page, each with the test file that runs it instead of this one, if any."""
    found = BLOCK.findall(path.read_text(encoding="utf-8"))
    return [(elsewhere, code) for elsewhere, kind, code in found if kind == language]


WITH_CODE = [path for path in PAGES if blocks(path, "python")]
COMMANDS = [
    (path, line)
    for path in PAGES
    for _, code in blocks(path, "sh")
    for line in code.splitlines()
    if re.search(r"(^|&& )unifiedscore ", line)
]
INLINE = [
    (path, command)
    for path in PAGES
    for command in re.findall(r"`(unifiedscore [a-z][^`]*)`", path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("path", WITH_CODE, ids=lambda path: path.stem)
def test_the_code_of_a_page_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for elsewhere, code in blocks(path, "python"):
        program = compile(code, str(path), "exec")
        if elsewhere:
            assert (ROOT / elsewhere).is_file(), elsewhere
        elif match := FILE.match(code):
            (tmp_path / match[1]).parent.mkdir(exist_ok=True)
            (tmp_path / match[1]).write_text(code)
            exec(program, {"__name__": match[1]})
        else:
            exec(program, names)


def test_there_are_as_many_pages_with_code_as_the_tutorials_need():
    assert len(WITH_CODE) >= 12
    assert sum(len(blocks(path, "python")) for path in WITH_CODE) >= 24


@pytest.mark.parametrize(("path", "line"), COMMANDS + INLINE, ids=lambda value: str(getattr(value, "stem", value))[:60])
def test_the_command_line_takes_every_command_that_is_shown(path, line):
    """Parsed as the program would, without being run: a renamed option or command fails here."""
    for part in re.split(r"&&|#", line):
        if not part.strip().startswith("unifiedscore "):
            continue
        name, *arguments = shlex.split(part)[1:] or [""]
        command = typer.main.get_command(app).commands.get(name)
        assert command is not None, f"{path.name}: there is no command {name!r}"
        if (inner := getattr(command, "commands", None)) and arguments:
            command = inner.get(arguments[0])
            assert command is not None, f"{path.name}: {name} has no command {arguments[0]!r}"
        known = {option for parameter in command.params for option in parameter.opts}
        used = [argument.partition("=")[0] for argument in arguments if re.match(r"--?[a-z]", argument)]
        assert set(used) <= known | {"--help", "-v"}, f"{path.name}: {part}"


def test_the_study_of_the_tutorial_is_supported_and_its_control_refuted(tmp_path):
    codes = [code for _, code in blocks(ROOT / "docs" / "tutorials" / "theorem.md", "python")]
    source, figure = (next(code for code in codes if code.startswith(f"# {kind}/")) for kind in ("studies", "figures"))
    path = tmp_path / "studies" / "study_mine.py"
    path.parent.mkdir()
    path.write_text(source)
    study = load_module(path).study
    dataset = us.run(study, out=tmp_path / "results")
    (verdict,) = us.judge(study, dataset)
    assert (verdict.outcome, verdict.control_outcome) == ("supported", "refuted")
    # Its figure names the study and the claim, draws, and states the numbers of the verdict.
    path = tmp_path / "figures" / "fig_mine.py"
    path.parent.mkdir()
    path.write_text(figure)
    found = figure_in(path)
    assert (found.title, found.studies, found.claims) == ("Norms concentrate", ("mine",), (verdict.claim,))
    texts = [text.get_text() for text in found.figure(dataset).axes[0].get_legend().get_texts()]
    numbers = [verdict.estimate, verdict.interval["low"], verdict.interval["high"]]
    slope, low, high = (f"{value:.3g}".replace("-", "\N{MINUS SIGN}") for value in numbers)
    assert f"radius variance: slope {slope} [{low}, {high}]" in texts
