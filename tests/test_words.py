"""Statements, names of variables and messages are sentences and phrases that are understood alone."""

import ast
import re
from pathlib import Path

import pytest

import unifiedscore
from unifiedscore.study.discover import discover

ROOT, PACKAGE = Path(__file__).parents[1], Path(unifiedscore.__file__).parent
FOUND = discover([str(ROOT)])
STUDIES = [item.study for item in FOUND.studies]
# They point at a sentence before: "The same with ...", "It tends to ...", "and its mean is ...".
POINTING = re.compile(
    r"(the (same|other|others|former|latter|opposite|reverse)|that|those|this|these|it|its|they|their|them|so|and|but|"
    r"like|likewise|ditto|thus|hence|such|which|whose|both|also|again|opposite)\b",
    re.IGNORECASE,
)
# "is no array" for "is not an array"; "there is no array" and "is no longer an array" are English.
IS_NO = re.compile(r"(?<!there)(?<!There) is no (?!longer\b)")


def lower_word(text):
    """Whether the text begins with a lower-case word; "kappa = ..." and "exp(-r/tau) is ..." begin with symbols."""
    first, second = text.split()[:2]
    return first.isalpha() and first[0].islower() and second != "="


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_names_of_variables_are_phrases_that_are_understood_alone(study):
    names = [variable.long_name for variable in study.variables.values()]
    assert not [name for name in names if POINTING.match(name) or name.endswith(".")]


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_statements_are_sentences_that_are_understood_alone(study):
    said = [claim.statement for claim in study.claims]
    assert not [text for text in said if POINTING.match(text) or lower_word(text) or not text.endswith(".")]


def test_statements_of_derivations_are_sentences_that_are_understood_alone():
    said = [item.derivation.statement for item in FOUND.derivations]
    assert len(said) > 20
    assert not [text for text in said if POINTING.match(text) or lower_word(text) or not text.endswith(".")]


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("The same with gamma = beta^2", True),
        ("the same for q = p", True),
        ("Its reciprocal", True),
        ("so does every field whose self term is masked, on digits", True),
        ("and its mean is that of the tilted mixture", True),
        ("That variance times K", True),
        ("Largest difference at gamma = beta^2", False),
        ("Thermal energy", False),
        ("Italian points", False),
        ("Solution of the dual", False),
    ],
)
def test_the_rule_tells_pointers_from_names(text, points):
    assert bool(POINTING.match(text)) is points


def texts(path):
    """Every string of a file that is not a docstring, the parts of f-strings joined."""
    tree = ast.parse(path.read_text())
    quiet = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quiet | parts:
            yield node.value


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_message_says_is_no(path):
    assert not [text for text in texts(path) if IS_NO.search(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("X is no JSON file", True),
        ("which is no proof", True),
        ("there is no ledger", False),
        ("the drift is no longer finite", False),
        ("X is not a JSON file", False),
    ],
)
def test_the_rule_knows_english(text, found):
    assert bool(IS_NO.search(text)) is found
