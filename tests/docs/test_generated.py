"""What the documentation is made of: every verdict once, every figure with a picture of the stored run."""

import importlib
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEDGER = json.loads((ROOT / "reference" / "ledger.json").read_text(encoding="utf-8"))
PICTURES = ROOT / "reference" / "figures"


@pytest.fixture(scope="module")
def generate():
    """The modules that write the pages; only the one for the API needs Sphinx."""
    sys.path.insert(0, str(ROOT / "docs"))
    sys.modules["generate"] = package = importlib.util.module_from_spec(
        importlib.machinery.ModuleSpec("generate", None, is_package=True)
    )
    package.__path__ = [str(ROOT / "docs" / "generate")]
    try:
        yield lambda name: importlib.import_module(f"generate.{name}")
    finally:
        sys.path.remove(str(ROOT / "docs"))
        for name in [name for name in sys.modules if name.split(".")[0] == "generate"]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def findings(generate):
    return generate("findings").pages()


def test_every_claim_has_one_section_on_one_page(findings):
    labels = [label for page in findings.values() for label in re.findall(r"^\(claim-(.*)\)=$", page, re.MULTILINE)]
    assert sorted(labels) == sorted({verdict["claim"] for verdict in LEDGER["verdicts"]})


def test_every_verdict_is_a_row_with_its_outcome(findings):
    text = "\n# Next page\n".join(findings.values())
    for claim in {verdict["claim"] for verdict in LEDGER["verdicts"]}:
        section = re.split(r"^#|^\(claim-", text.split(f"(claim-{claim})=\n###", 1)[1], maxsplit=1, flags=re.MULTILINE)[
            0
        ]
        rows = re.findall(r"^\| .*\{\.outcome \.([\w-]+)\}", section, re.MULTILINE)
        outcomes = [v["outcome"].replace("_", "-") for v in LEDGER["verdicts"] if v["claim"] == claim]
        assert sorted(rows) == sorted(outcomes), claim


def test_the_numbers_of_a_row_are_those_of_its_verdict(findings):
    verdict = next(v for v in LEDGER["verdicts"] if v["claim"] == "drift.low_temperature_residual")
    section = findings["parts/findings_drift.md"].split("(claim-drift.low_temperature_residual)=")[1]
    assert f"{verdict['estimate']:.4g}" in section.split("\n#")[1].replace("\N{MINUS SIGN}", "-")


def test_what_is_not_established_ends_the_page_of_each_family(findings):
    for path in (ROOT / "studies").glob("*/not_established.md"):
        assert findings[f"parts/findings_{path.parent.name}.md"].rstrip().endswith(path.read_text("utf-8").rstrip())


def test_every_paper_has_the_claims_that_name_it(generate):
    (text,) = generate("papers").pages().values()
    for number in ("2603.07514", "2310.12395", "2605.14276", "2605.00229"):
        named = [v for v in LEDGER["verdicts"] if number in v["source"]]
        section = text.split(f"[arXiv {number}]")[1].split("\n## ")[0]
        assert section.count("\n| [`") == len(named) > 0
    assert set(re.findall(r"\d{4}\.\d{5}", " ".join(v["source"] for v in LEDGER["verdicts"]))) <= set(
        re.findall(r"\[arXiv ([\d.]+)\]", text)
    )


def test_every_figure_of_a_quick_run_has_a_picture(generate):
    figures = generate("gallery").figures()
    lacking = [figure.name for figure in figures if figure.picture is None and figure.profile == "quick"]
    assert not lacking, f"{lacking}: draw them and run python docs/generate/pictures.py RESULTS"
    assert {path.stem for path in PICTURES.glob("*.webp")} == {figure.name for figure in figures if figure.picture}


def test_every_map_of_a_study_is_in_the_gallery_with_the_command_that_draws_it(generate):
    pages = generate("gallery").pages()
    named = [(path, path.read_text(encoding="utf-8").count('Map("')) for path in (ROOT / "studies").rglob("study_*.py")]
    maps = [figure for figure in generate("gallery").figures() if figure.command == "map"]
    assert len(maps) == sum(count for _, count in named) >= 6
    for path, count in named:
        page = pages[f"gallery/{path.parent.name}.md"]
        assert page.count(f"Draw it: `unifiedscore map {path.relative_to(ROOT).as_posix()}`") == count
    for figure in maps:
        assert pages[f"gallery/{figure.family}.md"].count(f"(figure-{figure.name})=") == 1


def test_pictures_show_the_run_whose_ledger_is_stored():
    for entry in json.loads((PICTURES / "index.json").read_text(encoding="utf-8")):
        for study, run in entry["runs"].items():
            stored = LEDGER["runs"][study.removesuffix(".search")]
            assert (run["profile"], run["root_seed"]) == (stored["profile"], stored["root_seed"]), entry["name"]


def test_pictures_stay_small():
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < 3_000_000


def test_the_first_page_is_a_notebook_with_the_same_code(generate):
    (text,) = generate("notebook").pages(ROOT / "docs").values()
    cells = json.loads(text)["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    page = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    assert len(code) == page.count("```python\n") and all(f"```python\n{part}\n```" in page for part in code)
