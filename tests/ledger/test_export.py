"""The exported tables print every text as it stands: LaTeX read back letter by letter, Markdown by a renderer."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from unifiedscore import cli
from unifiedscore.errors import UnknownNameError
from unifiedscore.inference import Verdict
from unifiedscore.ledger import Ledger
from unifiedscore.ledger.export import escape_latex, escape_markdown, export_ledger
from unifiedscore.ledger.terminal import totals

COMMANDS = {
    "textbackslash": "\\",
    "textasciicircum": "^",
    "textasciitilde": "~",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textquotedbl": '"',
    "textquotesingle": "'",
    "textasciigrave": "`",
    "textendash": "\N{EN DASH}",
    "textemdash": "\N{EM DASH}",
}
NASTY = "a_b & 50 % of $x^2$ {y} ~z #1 \\alpha <b> | `c` \"d\" 'e' -- [f](g) **h** http://i.j 1. - + !"
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126))


def read_latex(text):
    """What LaTeX prints; any special letter that is not one of the known commands is an error."""
    token = re.compile(r"\\([a-z]+)\{\}|\\([{}$&#_%])|\{\}|([^\\{}$&#_%^~<>|\"'`])")
    letters, place = [], 0
    while place < len(text):
        found = token.match(text, place)
        assert found, f"LaTeX would not print {text[place : place + 12]!r} as it stands"
        letters.append(COMMANDS[found[1]] if found[1] else found[2] or found[3] or "")
        place = found.end()
    return "".join(letters)


@given(TEXT)
@settings(max_examples=300, deadline=None)
def test_latex_reads_back_to_the_text(text):
    escaped = escape_latex(text)
    assert read_latex(escaped) == " ".join(text.split())
    assert "--" not in escaped  # a ligature


@given(TEXT)
@settings(max_examples=300, deadline=None)
def test_markdown_renders_to_the_text_in_a_table(text):
    table = f"| a | b |\n|---|---|\n| x{escape_markdown(text)}x | y |\n"
    assert cells(table) == [[f"x{' '.join(text.split())}x", "y"]]


def test_letters_that_the_fonts_lack_are_spelled():
    assert escape_latex("α ≤ β × Γ − ∞") == r"$\alpha$ $\le$ $\beta$ $\times$ $\Gamma$ $-$ $\infty$"
    assert escape_latex("Λ λ é x² Ο ⨌") == r"$\Lambda$ $\lambda$ é x2 [U+039F] [U+2A0C]"


def cells(markdown):
    """The text of each cell of the rows below the heads; anything but plain or strong text is an error."""
    rows, head = [], False
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        head = {"thead_open": True, "thead_close": False}.get(token.type, head)
        if token.type == "tr_open" and not head:
            rows.append([])
        elif token.type == "inline" and rows and not head and token.level >= 4:
            kinds = {child.type for child in token.children}
            assert kinds <= {"text", "text_special", "strong_open", "strong_close"}, kinds
            rows[-1].append("".join(child.content for child in token.children))
    return rows


def make_verdict(**parts):
    base = {
        "source": "Somebody 2020",
        "evidence": "monte_carlo",
        "statement": "something is one",
        "outcome": "supported",
        "expected": "supported",
        "reason": "because",
        "estimate": 1.0,
        "interval": {"low": 0.9, "high": 1.1, "level": 0.99, "kind": "t"},
        "region": {"low": 0.5, "high": 1.5},
        "control_outcome": "refuted",
    }
    return Verdict(**(base | parts))


@pytest.fixture
def ledger():
    verdicts = [
        make_verdict(claim="family.first_claim", study="one", statement=NASTY, regime="a|b"),
        make_verdict(claim="family.second", study="one", outcome="refuted", region={"low": 0.5, "high": float("inf")}),
        make_verdict(claim="family.third", study="two", expected="refuted", outcome="refuted", control_outcome=None),
    ]
    return Ledger(profile="quick", root_seed=3, verdicts=verdicts)


def test_markdown_holds_every_verdict_under_its_study(ledger):
    text = export_ledger(ledger, "markdown")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["one", "two"]
    first, second, third = cells(text)
    assert first[0] == f"family.first_claim (a|b): {NASTY}" and first[2] == "supported" and first[5] == "refuted"
    assert second[2] == "refuted (expected supported)" and second[4] == "[0.5, inf]"
    assert third[2] == "refuted" and third[5] == "none"
    assert "root seed 3" in text.replace("\\", "") and "1 not as expected" in text.replace("\\", "")
    assert totals(ledger)[1:] in text.replace("\\", "")


def test_latex_holds_every_verdict_under_its_study_in_balanced_rows(ledger):
    text = export_ledger(ledger, "latex")
    body = text[text.index(r"\endfoot") :]
    assert re.findall(r"multicolumn\{6\}\{l\}\{\\textbf\{(.*?)\}\}", body) == ["one", "two"]
    rows = [line.removesuffix(r" \\") for line in body.splitlines() if line.startswith(r"\texttt")]
    assert len(rows) == 3 and all(len(re.split(r"(?<!\\)&", row)) == 6 for row in rows)
    name, regime, statement = re.match(r"\\texttt\{(.*?)\} \((.*?)\): (.*?) & ", rows[0]).groups()
    assert read_latex(name.replace(r"\allowbreak{}", "")) == "family.first_claim"
    assert read_latex(regime) == "a|b" and read_latex(statement) == NASTY
    assert r"[$0.5$, $\infty$]" in rows[1] and "refuted (expected supported)" in rows[1]
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert text.count(r"\begin{longtable}") == text.count(r"\end{longtable}") == 1


def test_the_command_prints_or_writes_and_knows_its_formats(ledger, tmp_path, capsys):
    ledger.write(tmp_path)
    assert cli._exit_code(["export", str(tmp_path)]) == 0
    assert capsys.readouterr().out == export_ledger(ledger, "markdown")
    out = tmp_path / "table.tex"
    assert cli._exit_code(["export", str(tmp_path / "ledger.json"), "--format", "latex", "--out", str(out)]) == 0
    assert Path(out).read_text() == export_ledger(ledger, "latex")
    assert cli._exit_code(["export", str(tmp_path), "--format", "docx"]) == 2
    assert "unknown format 'docx'" in capsys.readouterr().err
    with pytest.raises(UnknownNameError, match="format"):
        export_ledger(ledger, "html")


def test_tables_say_what_was_estimated_from_replicates():
    base = {"study": "s", "statement": "x", "source": "y", "outcome": "supported", "expected": "supported"}
    base |= {
        "reason": "",
        "interval": {"low": 0, "high": 1, "level": 0.99, "kind": "t"},
        "region": {"low": 0, "high": 2},
    }
    verdicts = [Verdict(claim="a.b", evidence="monte_carlo", of="geometric_mean", **base),
                Verdict(claim="a.c", evidence="exact", **base)]  # fmt: skip
    ledger = Ledger(profile="quick", root_seed=0, verdicts=tuple(verdicts))
    for form in ("latex", "markdown"):
        assert export_ledger(ledger, form).count("Monte Carlo, geometric mean") == 1
    assert [verdict.to_json().get("of") for verdict in verdicts] == ["geometric_mean", None]
    assert Verdict.from_json(verdicts[0].to_json()).of == "geometric_mean"
