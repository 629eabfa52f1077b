"""Proofs in a worker: what a derivation draws is its own, and that of the root seed."""

import time

import pytest

from unifiedscore.study.discover import derivations_in
from unifiedscore.study.pool import InProcess, LocalPool
from unifiedscore.verify.proving import prove, prove_all, proving

FILE = """
import sympy
from unifiedscore.study import Derivation

t = sympy.Symbol("t", positive=True)
drawn = [Derivation(name, lambda: t - t, lambda: t, lambda rng: rng.random()) for name in ("one", "two")]
derivations = drawn
"""


def test_the_points_of_a_derivation_follow_from_the_root_seed_and_its_claim(tmp_path):
    path = tmp_path / "derive_drawn.py"
    path.write_text(FILE)
    reasons = {(position, seed): prove(str(path), position, seed).reason for position in (0, 1) for seed in (0, 1)}
    assert len(set(reasons.values())) == 4
    assert prove(str(path), 0, 1).reason == reasons[0, 1]


def test_proofs_beside_other_work_give_the_same_verdicts(tmp_path):
    path = tmp_path / "derive_drawn.py"
    path.write_text(FILE)
    found = derivations_in(path)
    at_once = prove_all(found, InProcess(), 0)
    with LocalPool(2) as pool, proving(found, pool, 0) as proofs:
        proofs.advance()
        assert len(proofs.flying) == 1
        assert proofs.results() == at_once
    assert [item for item, _ in at_once] == found


def test_proofs_under_way_end_with_the_work_beside_them(tmp_path):
    path = tmp_path / "derive_drawn.py"
    path.write_text(FILE)
    with LocalPool(2) as pool:
        with pytest.raises(ZeroDivisionError), proving(derivations_in(path), pool, 0) as proofs:
            for _ in range(2):
                pool.submit(time.sleep, 1.0)
            proofs.advance()
            raise ZeroDivisionError
        assert all(proof.future.cancelled() for proof in proofs.flying)


def test_proofs_leave_a_process_to_cells(tmp_path):
    """A pool that has measured little has one process; cells that follow must not wait for a proof."""
    path = tmp_path / "derive_drawn.py"
    path.write_text(FILE)
    with LocalPool(1) as pool, proving(derivations_in(path), pool, 0) as proofs:
        proofs.advance()
        assert not proofs.flying
    with LocalPool(3) as pool, proving(derivations_in(path), pool, 0) as proofs:
        pool.measuring = 1
        proofs.advance()
        assert len(proofs.flying) == 2 and pool.measuring == 3
