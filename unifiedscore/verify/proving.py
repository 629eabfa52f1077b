"""Derivations on processes of their own: side by side, limited in time, and named while they take long."""

from __future__ import annotations

import hashlib
import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np

from unifiedscore.inference import Verdict
from unifiedscore.inference.estimates import no_estimate
from unifiedscore.inference.verdict import SUPPORT_LEVEL, interval_of
from unifiedscore.output import note
from unifiedscore.study.discover import FoundDerivation, derivations_in
from unifiedscore.study.failure import STOPPED, describe
from unifiedscore.study.pool import InProcess, LocalPool, OutOfTime, cancel, local_processes
from unifiedscore.study.progress import Progress
from unifiedscore.study.reproduce import reproduce

DERIVATION_SECONDS = 120.0
SLOW_SECONDS = 10.0  # after which a derivation is named, and again each time when it has taken twice as long


@final
@dataclass(slots=True)
class _Proof:
    """A derivation under way: when it was found to be running, and when it is next worth a word."""

    item: FoundDerivation
    future: Future
    since: float | None = None
    next_word: float = field(default_factory=lambda: SLOW_SECONDS)
    again: bool = False

    def elapsed(self) -> float:
        """Seconds since it began; 0 while it waits."""
        if self.since is None and self.future.running():
            self.since = time.monotonic()
        return 0.0 if self.since is None else time.monotonic() - self.since


@final
class Proofs:
    """Derivations on processes: a few at a time beside other work (`advance`), then all that is left (`results`).

    Made by `proving`, which ends what is under way on the way to an error.
    """

    def __init__(self, found: Iterable[FoundDerivation], processes: LocalPool | InProcess, seed: int, seconds: float):
        self._found, self._processes, self._seed, self._seconds = list(found), processes, seed, seconds
        self._waiting = deque(self._found)
        self._results: dict[int, Verdict | str] = {}
        self.flying: list[_Proof] = []

    def advance(self) -> None:
        """Take in what has been proved, and send more, but leave one process free for others. Never waits."""
        if isinstance(self._processes, LocalPool):
            self._take_in()
            # These proofs are worth the processes that they need; the one left is for cells, however few they are.
            self._processes.measuring = self._processes.workers
            self._send(self._processes.workers - 1)

    def results(self) -> list[tuple[FoundDerivation, Verdict | str]]:
        """Each derivation with its verdict, or with the message with which it failed; waits for all of them."""
        done = len(self._results)
        with Progress("proving", "derivations", total=len(self._found), done=done) as progress:
            self._send(len(self._found))
            while self.flying:
                wait([proof.future for proof in self.flying], timeout=0.5, return_when=FIRST_COMPLETED)
                for item in self._take_in():
                    progress.advance(item.path.stem)
        return [(item, self._results[id(item)]) for item in self._found]

    def _send(self, allowed: int) -> None:
        while self._waiting and len(self.flying) < allowed:
            self.flying.append(_Proof(item := self._waiting.popleft(), self._submit(item)))

    def _take_in(self) -> list[FoundDerivation]:
        """Keep what has come in; the derivations that are finished now."""
        finished = []
        for proof in [proof for proof in self.flying if proof.future.done()]:
            result = _result(proof, self._seconds)
            if result is None:
                proof.future = self._submit(proof.item)
                continue
            self.flying.remove(proof)
            self._results[id(proof.item)] = result
            finished.append(proof.item)
        _say_what_is_slow(self.flying, self._seconds)
        return finished

    def _submit(self, item: FoundDerivation) -> Future:
        arguments = str(item.path), item.position, self._seed
        if isinstance(self._processes, InProcess):
            return self._processes.submit(prove, *arguments)
        return self._processes.submit_limited(self._seconds, prove, *arguments)


@contextmanager
def proving(
    found: Iterable[FoundDerivation], executor: Executor, seed: int, *, seconds: float = DERIVATION_SECONDS
) -> Iterator[Proofs]:
    """Derivations that are proved beside what is done inside: `with proving(found, executor, seed) as proofs: ...`.

    Parameters
    ----------
    found : iterable of FoundDerivation
    executor : concurrent.futures.Executor
        Its processes are used where they are local ones; otherwise some are started on this machine.
    seed : int
    seconds : float
        After which a derivation is ended; it is then inconclusive.
    """
    with local_processes(executor) as processes:
        proofs = Proofs(found, processes, seed, seconds)
        try:
            yield proofs
        except KeyboardInterrupt:
            for proof in proofs.flying:
                if proof.elapsed():
                    note(f"{_name(proof.item)} was being proved, for {proof.elapsed():.0f} s")
            raise
        finally:
            cancel((proof.future for proof in proofs.flying), processes)


def prove_all(
    found: Iterable[FoundDerivation], executor: Executor, seed: int, *, seconds: float = DERIVATION_SECONDS
) -> list[tuple[FoundDerivation, Verdict | str]]:
    """Judge derivations, side by side; parameters as for `proving`, results as of `Proofs.results`."""
    with proving(found, executor, seed, seconds=seconds) as proofs:
        return proofs.results()


def prove(path: str, position: int, seed: int) -> Verdict | str:
    """Judge one derivation of a file, in a worker. Exceptions come back as text: not all of them can be pickled."""
    from unifiedscore.study.derivation import judge_derivation

    try:
        derivation = derivations_in(Path(path))[position].derivation
        words = np.frombuffer(hashlib.sha256(derivation.claim.encode()).digest(), dtype="<u4")
        sequence = np.random.SeedSequence(seed, spawn_key=tuple(int(word) for word in words))
        return judge_derivation(derivation, np.random.default_rng(sequence))
    except STOPPED as error:
        return describe(error, path)


def _result(proof: _Proof, seconds: float) -> Verdict | str | None:
    """What came of it; None if its process died for the first time, perhaps for no fault of its own."""
    try:
        return proof.future.result()
    except OutOfTime:
        return out_of_time(proof.item, seconds)
    except (BrokenProcessPool, CancelledError) as error:
        if proof.again:
            return f"its worker process died twice: {error}"
        proof.again, proof.since = True, None
        return None
    except Exception as error:  # `prove` raises nothing: this is the way back, such as a verdict that cannot be sent
        return describe(error)


def out_of_time(found: FoundDerivation, seconds: float) -> Verdict:
    """The verdict on a derivation that was ended: nothing is known."""
    derivation = found.derivation
    return Verdict(
        claim=derivation.claim,
        regime=derivation.regime,
        study="derivations",
        statement=derivation.statement,
        source=derivation.source,
        evidence="symbolic",
        outcome="inconclusive",
        expected="supported",
        reason=f"it took longer than {seconds:g} s and was ended; --derivation-timeout allows more",
        estimate=math.nan,
        interval=interval_of(no_estimate(""), SUPPORT_LEVEL),
        region={"low": 0.0, "high": 0.0},
        control_outcome="inconclusive",
        control_detail={
            "mutation": derivation.mutation or "the residual of a wrong theorem",
            "estimate": math.nan,
            "interval": interval_of(no_estimate(""), SUPPORT_LEVEL),
            "reason": "not reached in time",
        },
        control_kind="measurement",
        reproduce=reproduce(derivation.claim),
    )


def _say_what_is_slow(flying: Iterable[_Proof], seconds: float) -> None:
    for proof in flying:
        if (elapsed := proof.elapsed()) > proof.next_word:
            proof.next_word = 2 * elapsed
            note(f"{_name(proof.item)} has been running for {elapsed:.0f} s; it is ended after {seconds:g} s")


def _name(item: FoundDerivation) -> str:
    derivation = item.derivation
    return f"derivation {derivation.claim}{f' ({derivation.regime})' if derivation.regime else ''}, {item.path.name},"
