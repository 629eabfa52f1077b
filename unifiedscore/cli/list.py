"""`list`: studies with their claims, derivations and figures."""

from __future__ import annotations

from unifiedscore.cli.options import Paths
from unifiedscore.output import say, short_path


def list_command(paths: Paths = None):
    """What is there: studies with their claims, derivations, figures."""
    from unifiedscore.ledger.words import count
    from unifiedscore.study.discover import discover

    found = discover(paths or ())
    for item in found.studies:
        study = item.study
        say(f"{study.name}: {study.title}  ({count(study.grid.size, 'cell')}, {short_path(item.path)})")
        for claim in study.claims:
            kind = f"[{claim.evidence}, {claim.profile}, expect {claim.expect}]"
            say(f"  {claim.name}: {claim.statement}  {kind}")
        for universal in study.universals:
            kind = f"[search, {universal.profile}, expect {universal.expect}]"
            say(f"  {universal.name}: {universal.statement}  {kind}")
    for item in found.derivations:
        say(f"derivation of {item.derivation.claim}  ({short_path(item.path)})")
    for item in found.figures:
        say(f"figure {item.name}: {item.title}  (shows {', '.join(item.studies)}; {short_path(item.path)})")
