"""How studies are run: everything that is asked for, once, from the door to the last worker."""

from __future__ import annotations

import os
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import final

from unifiedscore.errors import InputError
from unifiedscore.profiles import PROFILES
from unifiedscore.validate import integer, known, positive, shown


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunSettings:
    """The parameters of `run`, checked; see there for what each of them means.

    Examples
    --------
    >>> RunSettings(seed=3).profile
    'quick'
    """

    profile: str = "quick"
    out: Path = Path("results")
    executor: Executor | None = None
    seed: int = 0
    threads: int = 1
    retry_failed: bool = False
    cell_timeout: float | None = None
    until_decided: bool = False  # whether seeds are added until claims are decided; the data sets say so

    def __post_init__(self):
        known(self.profile, "profile", PROFILES)
        if not isinstance(self.out, str | Path) or not str(self.out) or "\0" in str(self.out):
            raise InputError(f"out must name a folder for the results; got {shown(self.out)}")
        submit = getattr(self.executor, "submit", None)
        if self.executor is not None and (isinstance(self.executor, type) or not callable(submit)):
            raise InputError(f"executor must be a concurrent.futures.Executor; got {shown(self.executor)}")
        if self.cell_timeout is not None:
            object.__setattr__(self, "cell_timeout", positive(self.cell_timeout, "cell_timeout"))
        # An absolute path now: a measurement may change the current folder.
        object.__setattr__(self, "out", Path(os.path.abspath(self.out)))
        object.__setattr__(self, "seed", integer(self.seed, "seed", low=0))
        object.__setattr__(self, "threads", integer(self.threads, "threads"))
