"""Statements, names of variables and messages are sentences and phrases that are understood alone."""

import ast
import re
from pathlib import Path

import pytest

import unifiedscore
from unifiedscore.study.discover import discover

ROOT, PACKAGE = Path(__file__).parents[1], Path(unifiedscore.__file__).parent
FOUND = discover([str(ROOT)])
# They point at a sentence before: "The same with ...", "It tends to ...", "and its mean is ...".
POINTING = re.compile(
    r"(the (same|other|others|former|latter|opposite|reverse)|that|those|this|these|it|its|they|their|them|he|she|so|and|"
    r"but|like|likewise|ditto|thus|hence|such|which|whose|both|also|again|opposite)\b",
    re.IGNORECASE,
)
# "is no array" for "is not an array"; "there is no array" and "is no longer an array" are English.
IS_NO = re.compile(r"(?<!there)(?<!There) is no (?!longer\b)")
WAITING = {
    "inference/limit.py",
    "inference/tail.py",
    "ledger/ledger.py",
    "ledger/report.py",
    "ledger/schema.py",
    "ledger/summary.py",
    "study/derivation.py",
    "train/checkpoint.py",
}


def of_studies():
    for item in FOUND.studies:
        for name, variable in item.study.variables.items():
            yield pytest.param(variable.long_name, id=f"{item.study.name}:{name}")


def statements():
    for item in FOUND.studies:
        for claim in item.study.claims:
            yield pytest.param(claim.statement, id=f"{claim.id}[{claim.regime}]")
    for item in FOUND.derivations:
        yield pytest.param(item.derivation.statement, id=item.derivation.claim)


@pytest.mark.parametrize("name", of_studies())
def test_the_name_of_a_variable_is_understood_alone(name):
    assert not POINTING.match(name)
    assert not name.endswith(".")


@pytest.mark.parametrize("statement", statements())
def test_a_statement_is_a_sentence_that_is_understood_alone(statement):
    assert not POINTING.match(statement)
    assert statement.endswith(".")
    # A lower-case start is a symbol ("kappa = ...", "exp(-r/tau) is ..."), never a word of a sentence.
    first = statement.split()[0]
    assert not first[0].islower() or not first.isalpha() or statement.split()[1] == "=", statement


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


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            id=(name := path.relative_to(PACKAGE).as_posix()),
            marks=[pytest.mark.xfail(strict=True, reason="says X is no Y")] * (name in WAITING),
        )
        for path in sorted(PACKAGE.rglob("*.py"))
    ],
)
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
