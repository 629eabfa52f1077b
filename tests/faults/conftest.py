"""The fault campaign: `pytest tests/faults --campaign 60`; its table stands at the end of the session."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

KILLS = 10
COLUMNS = ("faults", "injected", "survived", "cells lost", "cells wrong")


def pytest_addoption(parser):
    group = parser.getgroup("campaign", "fault campaign of tests/faults")
    group.addoption("--campaign", type=int, default=KILLS, metavar="N", help=f"kill -9 N times (default: {KILLS})")
    group.addoption("--campaign-seed", type=int, default=0, metavar="SEED", help="seed of all moments and damages")
    group.addoption("--campaign-table", metavar="FILE", help="write the table as Markdown to FILE")


def option(config, name, default):
    """An option that is not registered yet where the whole suite is collected."""
    return config.getoption(name, default=default)


def pytest_generate_tests(metafunc):
    if "injection" not in metafunc.fixturenames:
        return
    kills = option(metafunc.config, "--campaign", KILLS)
    kinds, per_ten = metafunc.function.faults
    counts = {kind: max(1, round(count * kills / KILLS)) for kind, count in zip(kinds, per_ten, strict=True)}
    metafunc.parametrize("injection", [(kind, number) for kind in counts for number in range(counts[kind])], ids=_name)


def _name(injection):
    kind, number = injection
    return f"{kind.replace(' ', '-')}-{number}"


def pytest_terminal_summary(terminalreporter, config):
    tally = _tally(terminalreporter)
    if not tally:
        return
    rows = [(kind, *counts) for kind, counts in sorted(tally.items())]
    rows.append(("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:])))
    width = max(len(row[0]) for row in rows)
    terminalreporter.section(f"fault campaign (seed {option(config, '--campaign-seed', 0)})")
    terminalreporter.write_line(f"{COLUMNS[0]:{width}}  " + "  ".join(COLUMNS[1:]))
    for kind, *counts in rows:
        cells = (f"{count:>{len(name)}}" for name, count in zip(COLUMNS[1:], counts, strict=True))
        terminalreporter.write_line(f"{kind:{width}}  " + "  ".join(cells))
    if path := option(config, "--campaign-table", None):
        lines = [" | ".join(map(str, row)) for row in (COLUMNS, ("---", *("---:",) * 4), *rows)]
        Path(path).write_text("".join(f"| {line} |\n" for line in lines))


def _tally(terminalreporter) -> dict[str, list[int]]:
    """Injected, survived, cells lost and cells wrong by kind, from whichever process ran the test."""
    tally: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    reports = {kind: terminalreporter.stats.get(kind, []) for kind in ("passed", "failed", "error")}
    # An error is what was found after the test: a data set on disk, a left-over, that is not as it should be.
    wrong = {report.nodeid for kind in ("failed", "error") for report in reports[kind]}
    for report in (*reports["passed"], *reports["failed"]):
        found = dict(report.user_properties)
        if report.when == "call" and "fault" in found:
            row = tally[found["fault"]]
            row[0] += 1
            row[1] += report.nodeid not in wrong
            row[2] += found.get("lost", 0)
            row[3] += found.get("wrong", 0)
    return tally


@pytest.fixture
def campaign_seed(request):
    return option(request.config, "--campaign-seed", 0)
