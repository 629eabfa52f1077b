"""Text leaves the package whatever stands in it and whatever the terminal can hold."""

import ast
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import unifiedscore
from unifiedscore.output import encoded, note, say, say_lines, storable

PACKAGE = Path(unifiedscore.__file__).parent
AWKWARD = "dash \N{EN DASH}, umlaut \xe4, byte \udcff, command \x1b[2J, right to left \u202e, NUL \0, \N{GRINNING FACE}"
ENCODINGS = ("ascii", "utf-8", "cp1252", "latin-1", "utf-16", "koi8-r")

STUDY = """
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable

def measure(cell, rng):
    if cell["seed"] == 99:
        raise ValueError("fails \N{EN DASH} \\udcff \\x1b[2J")
    return {"y": 1 + 0.1 * rng.normal()}

study = Study(
    "means", "Means \N{EN DASH} \xe4 \\udcff", Grid(seed=[*range(16), *FAILING]), measure, {"y": Variable("V\xe4lue")},
    [Claim("means.one", "the mean \N{EN DASH} is \\udcff one", "derived \N{EN DASH} here", "monte_carlo", "y",
           Inside(0.5, 1.5), control=Control("predict f\xefve", test=Inside(4.5, 5.5)))],
)
"""
FIGURE = '''"""A figure \N{EN DASH} \xe4."""
study = "means"
def figure(dataset):
    from matplotlib.figure import Figure
    figure = Figure()
    figure.add_subplot().plot(dataset["y"].values, label="\xe4 \N{EN DASH}")
    return figure
'''
COMMANDS = """
import os, sys
from unifiedscore.cli import _exit_code
from unifiedscore.output import survive_any_text
os.chdir(os.fsencode(sys.argv[1]))
survive_any_text()
out = os.fsdecode(b"re\\xc3\\xa4\\xff")
for command, code in (
    (["list"], 0), (["verify", "--executor", "serial", "--out", out], int(sys.argv[2])), (["status", out], 0),
    (["report", out], 0), (["report", out, "--out", os.fsdecode(b"\\xff.html")], 0), (["diff", out, out], 0),
    (["export", out], 0), (["export", out, "--format", "latex"], 0),
    (["export", out, "--out", os.fsdecode(b"\\xff.md")], 0), (["report", os.fsdecode(b"no\\xff\\n\\x1b[2J")], 2),
    (["judge", "--executor", "serial", "--out", out], int(sys.argv[2])),
):
    got = _exit_code(command)
    assert got == code, f"{ascii(command)}: {got}"
"""


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_every_text_can_be_said_in_every_encoding(encoding, errors):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors=errors)
    say(AWKWARD, file=stream)
    say_lines(f"{AWKWARD}\n{AWKWARD}", file=stream)
    stream.flush()
    text = raw.getvalue().decode(encoding)
    assert len(text.splitlines()) == 3 and r"\udcff" in text and r"\x1b[2J" in text and r"\u202e" in text
    assert not any(letter in text for letter in "\x1b\0\u202e\udcff")
    assert "\N{EN DASH}" in text or r"\u2013" in text


def test_a_note_survives_a_name_that_is_no_text(capsys):
    note(f"{AWKWARD}")
    assert r"\udcff" in capsys.readouterr().err


def test_what_is_written_to_files_comes_back():
    assert json.loads(encoded(json.dumps(AWKWARD, ensure_ascii=False))) == AWKWARD
    assert encoded("\xe4").decode() == "\xe4"
    assert storable(AWKWARD).encode().decode() == AWKWARD.replace("\udcff", r"\udcff").replace("\0", r"\x00")


def test_nothing_prints_or_writes_past_the_one_mechanism():
    """`print` only in output.py (and where a process is about to be killed); text files only through `encoded`."""
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name in ("output.py", "cli/interrupts.py") or name.startswith("templates/"):
            continue
        for call in (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call)):
            function = ast.unparse(call.func)
            if function in ("print", "typer.echo", "click.echo", "sys.stdout.write", "sys.stderr.write"):
                wrong.append(f"{name}:{call.lineno} {function}")
            if function.endswith(".write_text") or (function == "write_atomic" and ".encode(" in ast.unparse(call)):
                wrong.append(f"{name}:{call.lineno} {ast.unparse(call)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of files are bytes on Linux")
@pytest.mark.parametrize(
    ("environment", "failing"),
    [
        ({"PYTHONIOENCODING": "ascii"}, True),
        ({"PYTHONIOENCODING": "cp1252"}, False),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, False),
    ],
    ids=["ascii", "cp1252", "the C locale"],
)
def test_all_commands_survive_names_and_titles_of_any_bytes(tmp_path, environment, failing):
    folder = os.fsencode(tmp_path) + b"/\xff \xc3\xa4 \n\x1b[2J"
    for kind, name, text in ((b"studies", b"study_m\xff.py", STUDY), (b"figures", b"fig_f\xff.py", FIGURE)):
        os.makedirs(folder + b"/" + kind)
        with open(folder + b"/" + kind + b"/" + name, "w", encoding="utf-8") as file:
            file.write(text.replace("*FAILING", "99" if failing else ""))
    with open(folder + b"/studies/not_established.md", "w", encoding="utf-8") as file:
        file.write("nothing \N{EN DASH} \xe4")
    settings = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHONIO"))}
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, folder, b"3" if failing else b"0"],
        env=settings | environment | {"MPLBACKEND": "agg", "COLUMNS": "200"},
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "backslashreplace")[-3000:]
    said = done.stdout + done.stderr
    assert b"defect" not in said and b"Traceback" not in said and b"\x1b" not in said
    assert rb"\udcff" in said
    (results,) = Path(os.fsdecode(folder)).glob("re*")
    ledger = json.loads((results / "ledger.json").read_text(encoding="utf-8"))
    assert ledger["verdicts"][0]["statement"] == "the mean \N{EN DASH} is \udcff one"
    assert r"is \udcff one" in (results / "report.html").read_text(encoding="utf-8")
    stored = unifiedscore.open_results(results)["means"].attrs
    assert stored["title"] == "Means \N{EN DASH} \xe4 \\udcff" and stored["source"].endswith(r"study_m\udcff.py")
