"""Proofs in a worker: what a derivation draws is its own, and that of the root seed."""

from unifiedscore.verify.proving import prove

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
