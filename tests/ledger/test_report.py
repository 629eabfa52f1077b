import base64
import json
import math
import re
import struct
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from unifiedscore.errors import FileError
from unifiedscore.inference import Verdict
from unifiedscore.ledger import Ledger
from unifiedscore.ledger.report import DERIVED, OTHER, blocks, papers_of, render_report, write_report
from unifiedscore.ledger.strip import WIDTH, interval_strip
from unifiedscore.study.unjudged import FailedCell, NotRun

LAI = "Lai et al. 2026, arXiv 2603.07514"


def verdict(**changes):
    numerical = {"low": -1.01, "high": -0.99, "level": None, "kind": "numerical"}
    entry = {
        "claim": "drift.relative",
        "regime": "mean_shift",
        "study": "alignment",
        "statement": "relative squared error = O(1/d)",
        "source": LAI,
        "evidence": "quadrature",
        "outcome": "supported",
        "expected": "supported",
        "reason": "the slope -1.003 lies in [-1.05, -0.95]",
        "finding": "",
        "estimate": -1.003,
        "interval": numerical,
        "region": {"low": -1.05, "high": -0.95},
        "control_outcome": "refuted",
        "control_detail": {"mutation": "exponent -2", "estimate": -1.003, "interval": numerical, "reason": ""},
        "hypotheses": [{"name": "common norm R0", "value": 1.0, "low": 0.9, "high": 1.1, "holds": True}],
        "cells": 9,
        "reproduce": "unifiedscore verify --claim drift.relative",
    }
    return Verdict(**(entry | changes))


def refuted(**changes):
    entry = {"regime": "equal_means", "outcome": "refuted", "expected": "refuted", "estimate": 1.0}
    entry |= {"interval": {"low": 0.999, "high": 1.001, "level": None, "kind": "numerical"}}
    return verdict(**(entry | {"control_outcome": None, "control_detail": None} | changes))


def symbolic(**changes):
    entry = {"claim": "drift.identity", "regime": "", "evidence": "symbolic", "estimate": 0.0, "hypotheses": []}
    none = {"low": None, "high": None, "level": None, "kind": "none"}
    entry |= {"interval": none, "region": {"low": 0.0, "high": 0.0}, "source": "derived here", "cells": 0}
    control = {"mutation": "factor 2", "estimate": 0.3, "interval": none, "reason": "nonzero at a point"}
    return verdict(**(entry | {"control_detail": control} | changes))


def sampled(**changes):
    interval = {"low": 0.4, "high": 0.44, "level": 0.99, "kind": "t"}
    entry = {"claim": "drift.shared_noise", "regime": "", "evidence": "monte_carlo", "estimate": 0.42}
    entry |= {"interval": interval, "region": {"low": 0.05, "high": None}, "source": f"derived here, after {LAI}"}
    return verdict(**(entry | changes))


def ledger(*verdicts, **changes):
    return Ledger(**({"profile": "quick", "root_seed": 0, "verdicts": verdicts} | changes))


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


class Page(HTMLParser):
    """Elements with their attributes, the text, and whether every element is closed where it must be."""

    VOID = frozenset({"meta", "input", "br", "img", "hr", "link", "line", "rect", "circle"})

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(text)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def having(self, name):
        return [attrs for _, attrs in self.elements if name in attrs]


@pytest.fixture
def results(tmp_path):
    figures = tmp_path / "figures"
    figures.mkdir()
    (figures / "align.png").write_bytes(png())
    entry = {"name": "align", "title": "Alignment <d>", "studies": ["alignment"], "claims": ["drift.relative"]}
    (figures / "index.json").write_text(json.dumps([entry | {"png": "align.png", "pdf": "align.pdf"}]))
    waiting = NotRun("drift.big", "", "alignment", "full", "needs full")
    failed = FailedCell("alignment", {"dimension": 64}, "ValueError: no")
    verdicts = verdict(), refuted(), symbolic(), sampled()
    ledger(*verdicts, not_run=[waiting], failed_cells=[failed]).write(tmp_path)
    (tmp_path / "not_established.md").write_text("- Assumption 1 <of> `[L]`\n- Theorem 2\n")
    return tmp_path


def test_the_report_is_one_well_formed_file_that_loads_nothing(results):
    path = write_report(results)
    page = Page(path.read_text())
    assert path == results / "report.html"
    for attrs in page.having("src") + page.having("href"):
        target = attrs.get("src") or attrs.get("href")
        assert target.startswith(("data:image/png;base64,", "#")), target
    assert not re.search(r"https?://|@import|url\(", path.read_text())


def test_every_link_has_its_target(results):
    page = Page(write_report(results).read_text())
    ids = [attrs["id"] for attrs in page.having("id")]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for attrs in page.having("href")} <= set(ids)
    assert {attrs["data-figure"] for attrs in page.having("data-figure")} <= set(ids)


def test_every_part_of_the_ledger_is_shown(results):
    page = Page(write_report(results).read_text())
    for part in (
        "drift.relative (mean_shift)",
        "relative squared error = O(1/d)",
        "exponent -2",
        "common norm R0",
        "unifiedscore verify --claim drift.relative",
        "drift.big",
        "needs full",
        "dimension = 64",
        "ValueError: no",
        "Theorem 2",
        "1 verdict rests on Monte Carlo evidence",
        "at most 0.0001",
        "Alignment <d>",
        "Student t over seeds at 99 %",
        "a sibling regime of this claim",
    ):
        assert part in page.text, part
    images = [attrs for attrs in page.having("src") if attrs["src"].startswith("data:")]
    assert [base64.b64decode(attrs["src"].split(",")[1]) for attrs in images] == [png()]


def test_a_figure_is_linked_from_the_claims_it_illustrates_and_no_others(results):
    text = write_report(results).read_text()
    parts = re.findall(r'<details class="verdict.*?</details>', text, re.S)
    named = [part.split('class="mono">')[1].startswith("drift.relative<") for part in parts]
    assert ["figure-align" in part for part in parts] == named
    assert sum(named) == 2


def test_a_filter_finds_what_each_verdict_says_of_itself(results):
    page = Page(write_report(results).read_text())
    entries = {attrs["data-text"].split()[0]: attrs for attrs in page.having("data-outcome")}
    assert entries["drift.identity"]["data-papers"] == DERIVED
    assert entries["drift.shared_noise"]["data-papers"] == f"{LAI}|{DERIVED}"
    assert entries["drift.identity"]["data-evidence"] == "symbolic"
    options = {attrs["value"] for attrs in page.having("value")}
    assert {LAI, DERIVED, "monte_carlo", "refuted"} <= options


def test_everything_is_escaped():
    evil = "<script>alert('x')</script>\"&"
    texts = dict.fromkeys(("statement", "reason", "claim", "finding", "source", "reproduce", "regime"), evil)
    control = {"mutation": evil, "estimate": None, "interval": {}, "reason": evil}
    unmeasured = {"name": evil, "value": None, "low": None, "high": 1.0, "holds": False}
    entry = verdict(**texts, control_detail=control, hypotheses=[unmeasured])
    failed = [FailedCell(evil, {evil: evil}, evil)]
    figure = {"name": evil, "id": "f", "title": evil, "studies": [evil], "claims": [evil], "data": "data:,"}
    waits = [NotRun(evil, evil, evil, evil, evil)]
    rest = {"not_run": waits, "stale": [evil], "profile": evil, "package_version": evil}
    text = render_report(ledger(entry, failed_cells=failed, **rest), [figure], f"{evil}\n\n- `{evil}`")
    page = Page(text)
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    assert "<script>alert" in page.text


def test_what_differs_comes_first_and_is_counted():
    wrong = verdict(claim="drift.z", outcome="refuted")
    powerless = verdict(claim="drift.y", outcome="inconclusive", control_outcome="supported")
    page = Page(render_report(ledger(verdict(), wrong, powerless)))
    first = [attrs["data-differs"] for attrs in page.having("data-differs")]
    assert first == ["1", "1", "0"]
    assert "2 of 3 verdicts not as expected" in page.text and "expected supported" in page.text


def test_what_tests_the_judge_stands_after_what_it_judges_unless_it_differs():
    right, wrong = (verdict(claim=f"calibration.{name}", evidence="quadrature") for name in ("a", "b"))
    wrong = replace(wrong, outcome="refuted")
    shown = [
        attrs["data-text"].split()[0]
        for attrs in Page(render_report(ledger(right, verdict(), wrong))).having("data-text")
    ]
    assert shown == ["calibration.b", verdict().claim, "calibration.a"]


def test_a_good_run_says_so_and_an_empty_one_does_not():
    assert "All 2 verdicts came out as theory predicted" in Page(render_report(ledger(verdict(), refuted()))).text
    assert "holds no verdict" in Page(render_report(ledger())).text


def test_what_was_changed_after_a_run_is_counted_beside_the_headline():
    changed = verdict(claim="drift.z", finding="sixteen seeds were undecided; checked at two root seeds")
    text = Page(render_report(ledger(verdict(), refuted(), changed))).text
    assert "All 3 verdicts came out as expected, and every control was refuted." in text
    assert "2 of them as theory predicted before any run, 1 on a claim that was changed after a run" in text
    assert "Changed after a run The expectation or the measurement of this claim was changed" in text
    assert "came out as theory predicted," not in text and "Findings" not in text
    unchanged = Page(render_report(ledger(verdict(), refuted()))).text
    assert "changed after a run" not in unchanged.lower()


def test_a_hypothesis_without_a_number_is_undecided_and_does_not_fail():
    known = {"name": "known", "value": 0.4, "low": 0.5, "high": math.inf, "holds": False}
    unknown = known | {"name": "unknown", "value": math.nan}
    text = Page(render_report(ledger(verdict(hypotheses=[known, unknown])))).text
    assert "known 0.4 [0.5, \N{INFINITY}] fails" in text
    assert "unknown not measured [0.5, \N{INFINITY}] undecided" in text


def test_expected_refutations_have_a_section_of_their_own():
    page = Page(render_report(ledger(verdict(), refuted())))
    assert "each refutation is a result" in page.text
    assert "each refutation is a result" not in Page(render_report(ledger(verdict()))).text


def test_figures_given_by_name_replace_those_of_the_folder(results, tmp_path):
    other = tmp_path / "mine.png"
    other.write_bytes(png())
    text = write_report(results, figures={"mine": other}, not_established="").read_text()
    assert "figure-mine" in text and "figure-align" not in text
    assert 'id="not-established"' not in text


def test_missing_ledger_or_figure_is_named(tmp_path, results):
    with pytest.raises(FileError, match=r"ledger\.json"):
        write_report(tmp_path / "nowhere")
    (results / "figures" / "align.png").unlink()
    with pytest.raises(FileError, match=r"align\.png"):
        write_report(results)
    (results / "figures" / "index.json").write_text("{}[")
    with pytest.raises(FileError, match="not an index of figures"):
        write_report(results)


@pytest.mark.parametrize(
    ("source", "papers"),
    [
        ("Lai et al. 2026, arXiv 2603.07514, Thm 1", [LAI]),
        ("derived here; stated in Lai et al. 2026, arXiv 2603.07514v1", [LAI, DERIVED]),
        (
            "Deng et al. 2026, arXiv 2602.04770; arXiv 2603.07514",
            ["Deng et al. 2026, arXiv 2602.04770", "arXiv 2603.07514"],
        ),
        ("a textbook", [OTHER]),
    ],
)
def test_papers_are_told_by_their_arxiv_number(source, papers):
    assert papers_of(source) == papers


def test_text_blocks_keep_lines_together():
    assert blocks("# A\none\ntwo\n\n- x\n  more\n- y\nz") == [
        {"kind": "heading", "lines": ["A"]},
        {"kind": "paragraph", "lines": ["one two"]},
        {"kind": "list", "lines": ["x more", "y z"]},
    ]


def places(entry):
    """x of the estimate and of the region's band in an interval strip."""
    text = str(interval_strip(entry))
    dot = float(re.search(r'circle class="estimate" cx="([-\d.]+)"', text)[1])
    band = re.search(r'rect class="region" x="([-\d.]+)"[^>]* width="([-\d.]+)"', text)
    return dot, float(band[1]), float(band[1]) + float(band[2])


@pytest.mark.parametrize(
    ("estimate", "low", "high"),
    [
        (-1.003, -1.05, -0.95),
        (0.42, 0.05, None),
        (-3.0, None, -0.5),
        (3.0, 0.0, 100.0),
        (1e-9, 0.0, 100.0),
        (0.0, 0.0, 100.0),
        (5e7, 0.0, 100.0),
        (437.0, 0.07, 0.08),
        (1.0, -0.1, 0.1),
        (0.0, 0.9, 1.1),
        (-1e-12, -1e-10, 1e-10),
    ],
)
def test_the_strip_shows_the_estimate_inside_the_region_iff_it_is(estimate, low, high):
    exact = {"low": None, "high": None, "level": None, "kind": "none"}
    entry = verdict(estimate=estimate, region={"low": low, "high": high}, interval=exact)
    dot, left, right = places(entry)
    inside = (low is None or estimate >= low) and (high is None or estimate <= high)
    assert (left <= dot <= right) == inside
    assert 0 <= left < right <= WIDTH and 0 <= dot <= WIDTH
    assert (left == 0) == (low is None) or low == 0
    assert (right == WIDTH) == (high is None)


def test_a_verdict_without_number_or_region_has_no_strip():
    assert interval_strip(symbolic()) is None
    assert interval_strip(verdict(estimate=None)) is None
    assert interval_strip(verdict(region={"low": None, "high": None})) is None


def test_a_paper_is_listed_once_with_its_authors():
    bare, other = "arXiv 2603.07514", "Chieh-Hsin Lai 2026, arXiv 2603.07514"
    sources = {"a.one": bare, "a.two": f"{LAI}, Thm 2", "a.three": f"{LAI}, Thm 1", "a.four": other, "a.five": "a book"}
    found = ledger(*(sampled(claim=claim, source=source) for claim, source in sources.items()))
    page = Page(render_report(found))
    options = [attrs["value"] for tag, attrs in page.elements if tag == "option"]
    assert [option for option in options if "2603.07514" in option] == [LAI]
    assert f"{LAI} (4)" in page.text
    assert [attrs["data-papers"] for attrs in page.having("data-papers")] == [LAI] * 4 + [OTHER]


def test_the_reason_why_claims_wait_is_given_once():
    reason = "needs the profile standard; this run used quick"
    waiting = [NotRun(f"drift.c{number}", "", f"study_{number % 3}", "standard", reason) for number in range(30)]
    waiting.append(NotRun("drift.long", "all", "study_1", "full", "needs the profile full"))
    page = Page(render_report(ledger(sampled(), not_run=waiting)))
    assert page.text.count(reason) == 1 and f"30 claims: {reason}" in page.text
    assert page.text.count("study_0 : 10 claims") == 1 and page.text.count("study_1 : 1 claim ") == 1
    assert all(entry.claim in page.text for entry in waiting)


def test_each_cell_of_a_wide_table_has_its_heading_on_a_phone(results):
    page = Page(write_report(results).read_text())
    assert [attrs["data-label"] for attrs in page.having("data-label")] == ["Study", "Cell", "Message"]


def test_maps_are_a_table_of_areas_and_boundaries():
    area = {"supported": 0.595, "refuted": 0.4, "inconclusive": 0.003, "not_applicable": 0.002}
    first = {"study": "s", "claim": "plane.disc", "x": "smallest_mass", "y": "b", "shares": area,
             "boundary": [[0.1, None], [0.2, 3.0], [0.3, 4.0], [0.4, 5.0]]}  # fmt: skip
    second = first | {"claim": "plane.all", "regime": "far", "shares": {"supported": 1.0}, "boundary": [[0.1, None]]}
    page = Page(render_report(ledger(verdict(), maps={"one": first, "two": second})))
    assert "plane.disc smallest mass, b 59.5 % 40 % 0.5 %" in page.text
    assert "b 3 at smallest mass 0.2; b 4 at smallest mass 0.3; b 5 at smallest mass 0.4" in page.text
    assert "plane.all (far) smallest mass, b 100 % 0 % 0 % none crosses the map" in page.text
    assert "#maps" in [attrs["href"] for attrs in page.having("href")]
    assert "maps" not in [attrs["id"] for attrs in Page(render_report(ledger(verdict()))).having("id")]
