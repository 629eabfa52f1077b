"""While cells are measured: what runs is still what the records will be named after."""

from __future__ import annotations

import errno
import sys
from time import monotonic  # a cell may replace the one in the module
from typing import final
from weakref import WeakKeyDictionary

from unifiedscore.errors import ChangedError, FileError, StudyError
from unifiedscore.study.identity import Identity, input_hashes, shortened
from unifiedscore.study.loading import BOUND, Loaded, refuse_changed
from unifiedscore.study.study import Study

NO_FILE = (errno.EMFILE, errno.ENFILE)
EVERY = 0.5  # seconds between full comparisons, which take some milliseconds


@final
class Guard:
    """Compares a study's identity with the one that a run is for, before and after its cells are measured.

    The code of the study is held in memory as it was hashed, and so is what the process has imported of the engine. So
    the whole comparison is due only when something may have been imported since, and every now and then; the inputs
    are compared each time.
    """

    def __init__(self, study: Study, expected: Identity):
        self._study, self.expected = study, expected
        self._loaded: Loaded | None = BOUND.get(study)
        self._modules, self._next = -1, 0.0

    def check(self) -> None:
        """Refuse to go on, or to keep what was measured, under a name that it no longer deserves.

        Raises
        ------
        ChangedError
            Code, data, environment or packages are not those that the run is for.
        """
        if self._loaded is not None:
            try:
                self._check(self._loaded)
            except (StudyError, FileError, OSError) as error:
                if getattr(error.__cause__ or error, "errno", None) in NO_FILE:
                    return  # a cell has left no file to open: this process is replaced, and the next one compares
                raise ChangedError(str(error)) from error

    def _check(self, loaded: Loaded) -> None:
        if len(sys.modules) != self._modules or monotonic() > self._next:
            refuse_changed(self._study, loaded)
            self._compare(loaded.identity(self._study))
            self._modules, self._next = len(sys.modules), monotonic() + EVERY
        elif self._study.inputs:
            now = input_hashes(loaded.path.parent, self._study.inputs)
            if now != self.expected.inputs:
                self._compare(loaded.identity(self._study))

    def _compare(self, now: Identity) -> None:
        if now == self.expected:
            return
        if now.engine != self.expected.engine:
            raise StudyError(
                "this process has imported another version of unifiedscore than the one that the run is for: it was "
                "edited or upgraded meanwhile, or this machine has another one installed; start again with one version "
                "everywhere"
            )
        raise StudyError(
            f"{self._study.name}: this process does not measure what the run was started with "
            f"({shortened(self.expected.changes(now))}). Either that was changed during the run, or this machine has "
            "other packages, files or settings: make them the same and start again"
        )


_kept: WeakKeyDictionary[Study, Guard] = WeakKeyDictionary()


def guard_of(study: Study, expected: Identity) -> Guard:
    """The guard of a study. Small tasks share it: a comparison for each would take longer than their cells."""
    guard = _kept.get(study)
    if guard is None or guard.expected != expected:
        guard = _kept[study] = Guard(study, expected)
    return guard
