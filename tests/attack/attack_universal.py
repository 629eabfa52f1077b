"""Calls of the objects of a universal claim, and of what attacks it."""

import math
import tempfile

from attack_arguments import Argument, integer, name, number
from attack_objects import NO_OBJECT, Door

import unifiedscore as us
from unifiedscore import study as st

TEXT = {"None": None, "number": 3, "empty": "", "list": ["a"], "mapping": {}, "bytes": b"a"}
REGION = {"None": None, "text": "abc", "number": 3.0, "three": (0.0, 1.0, 2.0), "reversed": (1.0, 0.0),
          "nan": (math.nan, 1.0), "no bound": (-math.inf, math.inf), "mapping": {}}  # fmt: skip
FUNCTION = {"text": "abc", "number": 3.0, "list": [len], "mapping": {}}
SPACE = st.Space(x=st.Real(-1.0, 1.0))


def quantity(instance):
    """x^2, computed"""
    return {"value": instance["x"] ** 2, "error": 1e-15}


def second(instance):
    """x^2, as a product"""
    return {"value": instance["x"] * instance["x"], "error": 1e-15}


def universal(**changes):
    given = {
        "id": "a.square",
        "statement": "A square is at most one.",
        "source": "school",
        "space": SPACE,
        "quantity": quantity,
        "region": (-math.inf, 1.0),
        "second": second,
        "control": st.FalseVariant("a half", region=(-math.inf, 0.5)),
    }
    return st.Universal(**(given | changes))


STUDY = st.Study(name="squares", title="Squares", universals=[universal()])


def attack(**given):
    with tempfile.TemporaryDirectory() as folder:
        if given.get("out") == "somewhere":
            given["out"] = folder
        return us.falsify(**({"study": STUDY, "out": folder, "budget": 10} | given))


def ends():
    return {
        "low": number(0.5, low=-math.inf).also(above=9.0),
        "high": number(2.0, low=-math.inf).also(below=-9.0),
        "log": Argument(False, {"text": "abc", "number": 3.0, "list": [True]}),
    }


def whole():
    return {"low": integer(2, low=-5).without("below", "far below"), "high": integer(4, low=-5).without("far below")}


def falsify_doors():
    arguments = {
        "study": Argument(STUDY, NO_OBJECT | {"class": st.Study}),
        "claim": Argument("a.square", {"unknown": "b.c", "number": 3, "list": ["a.square"]}),
        "budget": integer(10, none=True),
        "profile": name("quick"),
        "seed": integer(0, low=0),
        "threads": integer(1),
        "executor": Argument(None, {"text": "nonsense", "number": 3, "class": int, "mapping": {}}),
        "out": Argument("somewhere", {"empty": "", "number": 3, "None": None, "list": ["a"], "NUL": "a\0b"}),
    }
    return [Door("falsify", attack, arguments)]


def doors():
    """One entry for each public name."""
    count = {"size": integer(2, low=2)}
    made = universal()
    parts = {
        "id": Argument("a.square", TEXT),
        "statement": Argument("A square is at most one.", TEXT),
        "source": Argument("school", TEXT),
        "space": Argument(SPACE, NO_OBJECT | {"class": st.Space}),
        "quantity": Argument(quantity, FUNCTION | {"None": None}),
        "region": Argument((-math.inf, 1.0), REGION),
        "second": Argument(second, FUNCTION | {"None": None}),
        "control": Argument(made.control, NO_OBJECT),
        "hypotheses": Argument((), {"None": None, "text": "abc", "number": 3.0, "wrong": (3,)}),
        "profile": name("quick"),
        "expect": Argument("survived", {"supported": "supported", "number": 3, "None": None}),
    }
    entries = {
        "Real": [Door("Real", st.Real, ends())],
        "Integer": [Door("Integer", st.Integer, whole())],
        "Choice": [
            Door("Choice", st.Choice, {"options": Argument(("a", "b"), {"None": None, "number": 3, "empty": ()})})
        ],
        "Simplex": [Door("Simplex", st.Simplex, count | {"floor": number(0.1, low=-1.0).without("below")})],
        "Vector": [Door("Vector", st.Vector, {"size": integer(2)} | {k: ends()[k] for k in ("low", "high")})],
        "Spectrum": [Door("Spectrum", st.Spectrum, {"size": integer(2)} | {k: ends()[k] for k in ("low", "high")})],
        "Many": [
            Door(
                "Many",
                st.Many,
                {
                    "of": Argument(st.Real(0.0, 1.0), NO_OBJECT),
                    "at_most": integer(3),
                    "count": Argument("points", TEXT),
                },
            )
        ],
        "Space": [
            Door("Space", st.Space, {"x": Argument(st.Real(0.0, 1.0), NO_OBJECT), "derive": Argument(None, FUNCTION)})
        ],
        "Instance": [],
        "FalseVariant": [
            Door(
                "FalseVariant",
                st.FalseVariant,
                {"mutation": Argument("a half", TEXT), "region": Argument((0.0, 0.5), REGION)},
            )
        ],
        "Universal": [Door("Universal", st.Universal, parts)],
        "falsify": falsify_doors(),
        "universal_in": [
            Door(
                "universal_in",
                st.universal_in,
                {
                    "path": Argument(
                        str(_template()), {"missing": "/nowhere/study_a.py", "number": 3, "None": None, "list": ["a"]}
                    ),
                    "claim": Argument(
                        "variance.popoviciu", {"unknown": "b.c", "number": 3, "None": None, "list": ["a"]}
                    ),
                },
            )
        ],
    }
    return {"falsify": falsify_doors()} | {f"study.{entry}": calls for entry, calls in entries.items()}


def _template():
    """The study of `unifiedscore new universal variance`, deleted at the end of the process."""
    import atexit
    from importlib.resources import files
    from pathlib import Path

    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "study_variance.py"
    text = files("unifiedscore.templates").joinpath("universal.py.txt").read_text(encoding="utf-8")
    path.write_text(text.replace("__NAME__", "variance"), encoding="utf-8")
    return path
