"""The command that judges a claim again."""

from __future__ import annotations

import shlex

from unifiedscore.profiles import PROFILES


def reproduce(claim: str, *, profile: str = PROFILES[0], file: str = "", seed: int = 0) -> str:
    """The command line that judges `claim` again; what has its default is left out.

    Examples
    --------
    >>> reproduce("drift.curl", profile="standard", file="my studies/study_curl.py", seed=3)
    "unifiedscore verify 'my studies/study_curl.py' --claim drift.curl --profile standard --seed 3"
    """
    parts = ["unifiedscore", "verify", *([shlex.quote(file)] if file else []), "--claim", claim]
    parts += ["--profile", profile] if profile != PROFILES[0] else []
    return " ".join(parts + (["--seed", str(seed)] if seed else []))
