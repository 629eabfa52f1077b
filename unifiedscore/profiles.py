"""The profiles of a run, in order of cost. A leaf: whoever only needs their names imports nothing else."""

from __future__ import annotations

PROFILES = ("quick", "standard", "full")
"""A claim is judged, and a figure drawn, by runs of its own profile and of every later one."""


def covers(profile: str, needed: str) -> bool:
    """Whether a run of `profile` judges what needs the profile `needed`.

    Examples
    --------
    >>> covers("standard", "quick"), covers("quick", "standard")
    (True, False)
    """
    return PROFILES.index(profile) >= PROFILES.index(needed)
