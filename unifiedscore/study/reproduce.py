"""The command that judges a claim again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from unifiedscore.profiles import PROFILES

MOST_SEEDS = 1024
"""Seeds at which no undecided claim is looked at again, unless more are asked for."""


def reproduce(
    claim: str, *, profile: str = PROFILES[0], file: str = "", seed: int = 0, looks: Mapping[str, Any] | None = None
) -> str:
    """The command line that judges `claim` again; what has its default is left out. `looks` is that of a verdict.

    Examples
    --------
    >>> reproduce("drift.curl", profile="standard", file="my studies/study_curl.py", seed=3)
    "unifiedscore verify 'my studies/study_curl.py' --claim drift.curl --profile standard --seed 3"
    """
    parts = ["unifiedscore", "verify", *([shlex.quote(file)] if file else []), "--claim", claim]
    parts += ["--profile", profile] if profile != PROFILES[0] else []
    parts += ["--seed", str(seed)] if seed else []
    parts += ["--until-decided"] if looks is not None else []
    parts += ["--most-seeds", str(looks["seeds"])] if looks is not None and looks["seeds"] > MOST_SEEDS else []
    return " ".join(parts)
