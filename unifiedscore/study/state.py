"""Every cell finds the process in the same state, whatever ran in it before.

Without this, a cell that sets `numpy.seterr`, draws from a global generator or changes the folder would be measured
otherwise after another cell than in a process of its own, and the number of workers would change the numbers.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import numpy as np

from unifiedscore.errors import StudyError
from unifiedscore.study.grid import Cell, canonical
from unifiedscore.study.loading import BOUND, Loaded
from unifiedscore.study.opened import Watch
from unifiedscore.study.study import Study

DEFAULT_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


@contextmanager
def isolated(study: Study, cell: Cell, *, seed: int) -> Iterator[None]:
    """Measure a cell in here: the process is as after the import of the study, and is restored afterwards.

    Global generators (`random`, `numpy.random`, torch) are seeded from the cell, so that a measurement that draws from
    them is still a function of cell and root seed.

    Raises
    ------
    StudyError
        The measurement read a file below the study's folder, or imported a module, that nothing had declared.
    """
    loaded = BOUND.get(study)
    with ExitStack() as stack:
        stack.enter_context(np.errstate(**(loaded.errstate if loaded else DEFAULT_ERRORS)))
        stack.enter_context(_process_state())
        stack.enter_context(_generators(cell, seed, torch=loaded is not None and _uses_torch(loaded)))
        watch = stack.enter_context(Watch(loaded.path.parent)) if loaded else None
        yield
    if loaded is not None and watch is not None:
        _refuse_undeclared(study, loaded, watch)


def _refuse_undeclared(study: Study, loaded: Loaded, watch: Watch) -> None:
    if not (watch.read or loaded.opened or len(loaded.namespace.late) > len(loaded.late)):
        return
    folder, known = loaded.path.parent.resolve(), loaded.known_files(study)
    late = {module.path.resolve() for module in loaded.namespace.late[len(loaded.late) :] if module.path is not None}
    undeclared = sorted((watch.read | loaded.opened | late) - known)
    if undeclared:
        names = [str(path.relative_to(folder) if path.is_relative_to(folder) else path) for path in undeclared]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise StudyError(
            f"{', '.join(names[:3])}{more}: read by the study without being declared, so that a change would go "
            f"unnoticed; declare it: Study(..., inputs={names[:3]!r})"
        )


@contextmanager
def _process_state() -> Iterator[None]:
    """Keep what a measurement does to folder, environment, search path and warning filters to itself."""
    try:
        folder = os.getcwd()
    except OSError:  # it was removed
        folder = None
    environment, path, filters = dict(os.environ), list(sys.path), list(warnings.filters)
    try:
        yield
    finally:
        if folder is not None and _elsewhere(folder):
            with suppress(OSError):
                os.chdir(folder)
        if os.environ != environment:
            for name in os.environ.keys() - environment.keys():
                del os.environ[name]
            os.environ.update(environment)
        if sys.path != path:
            sys.path[:] = path
        if warnings.filters != filters:
            warnings.filters[:] = filters
            warnings._filters_mutated()


def _elsewhere(folder: str) -> bool:
    try:
        return os.getcwd() != folder
    except OSError:
        return True


@contextmanager
def _generators(cell: Cell, seed: int, *, torch: bool) -> Iterator[None]:
    """Seed the global generators for a cell, apart from its own stream, and give their owners' states back."""
    digest = hashlib.sha256(f"global {seed} {canonical(cell)}".encode()).digest()
    words = np.frombuffer(digest, dtype="<u4")
    states = np.random.get_state(), random.getstate()  # noqa: NPY002
    np.random.seed(words)  # noqa: NPY002
    random.seed(digest)
    module = _torch(torch)
    torch_state = module.get_rng_state() if module else None
    if module:
        module.manual_seed(int(words[0]))
    try:
        yield
    finally:
        np.random.set_state(states[0])  # noqa: NPY002
        random.setstate(states[1])
        if module:
            module.set_rng_state(torch_state)


def _torch(wanted: bool):
    """torch, if the study uses it: it must be there before the first cell as it is before the last."""
    if not wanted:
        return None
    with suppress(ImportError):
        import torch

        return torch
    return None


def _uses_torch(loaded: Loaded) -> bool:
    return "torch" in loaded.closure.distributions
