"""The helpers beside the tests, and the table of what was attacked."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_terminal_summary(terminalreporter):
    """Calls, how many were refused with the argument's name, how many ended in any other way."""
    rows = {}
    for report in [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, [])]:
        for name, value in getattr(report, "user_properties", ()):
            if name == "attack" and report.when == "call":
                what, calls, wrong = value
                before = rows.get(what, (0, 0))
                rows[what] = before[0] + calls, before[1] + wrong
    if not rows:
        return
    terminalreporter.section("malformed calls")
    terminalreporter.write_line(f"{'':32}{'calls':>8}{'refused':>9}{'wrong':>7}")
    total = "all", (sum(calls for calls, _ in rows.values()), sum(wrong for _, wrong in rows.values()))
    for what, (calls, wrong) in [*rows.items(), total]:
        terminalreporter.write_line(f"{what:32}{calls:>8}{calls - wrong:>9}{wrong:>7}")
