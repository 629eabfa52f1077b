"""How the views of a ledger write numbers, intervals and outcomes: alike, and in one place."""

import ast
import doctest
import math
from pathlib import Path

import pytest

from unifiedscore.inference import verdict
from unifiedscore.ledger import export, ledger, words
from unifiedscore.ledger.words import between, digits, printed

FOLDER = Path(words.__file__).parent


@pytest.mark.parametrize("module", [words, ledger, export, verdict])
def test_the_examples_hold(module):
    assert doctest.testmod(module).failed == 0 < doctest.testmod(module).attempted


@pytest.mark.parametrize("value", [0.0, 1.0, -1.00349, 6.1875e-05, -3e300, 1e-308, 123456.0, 0.99994, 0.99996])
def test_a_printed_number_is_the_plain_one_in_other_letters(value):
    plain = printed(value).replace("\N{MINUS SIGN}", "-")
    assert float(plain) == float(digits(value)) == pytest.approx(value, rel=5e-4)


def test_an_end_that_is_open_or_unknown():
    assert between({"low": -math.inf, "high": 2.0}, printed) == "[\N{MINUS SIGN}\N{INFINITY}, 2]"
    assert between({}) == between({"low": math.nan, "high": math.nan}) == ""
    assert printed(math.nan) == "none" and printed(math.nan, "") == ""


def test_four_digits_are_written_in_one_place():
    for path in FOLDER.glob("*.py"):
        specs = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FormattedValue)]
        formats = {ast.unparse(node.format_spec) for node in specs if node.format_spec is not None}
        assert not any(".4g" in text for text in formats) or path.name == "words.py", path
