"""The ledger: every verdict of a run in one file, on the terminal and as a report."""

from __future__ import annotations

from unifiedscore.ledger.ledger import build_ledger, compare, exit_code, read_ledger, write_ledger

__all__ = ["build_ledger", "compare", "exit_code", "read_ledger", "write_ledger"]
