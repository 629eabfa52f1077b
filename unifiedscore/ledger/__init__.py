"""The ledger: every verdict of a run in one file, on the terminal and as a report.

From Python, `unifiedscore.ledger.Ledger.read("results")` reads it and `.verdicts` holds the `Verdict` objects that
`unifiedscore.judge` returns, too.
"""

from __future__ import annotations

from unifiedscore.ledger.diff import Change, changes
from unifiedscore.ledger.ledger import Ledger

__all__ = ["Change", "Ledger", "changes"]
