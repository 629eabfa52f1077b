"""Calls of the objects of a study, of the tests, and of what runs and judges them."""

import numpy as np
import xarray as xr
from attack_arguments import Argument, function, integer, kernel, measure, name, number, points, rng, vector
from attack_objects import FIELD, GAUSS, NO_OBJECT, RNG, Door, S, X, Y

import unifiedscore as us
from unifiedscore import study as st


def claim(**changes):
    return st.Claim(
        **(
            {
                "id": "a.b",
                "statement": "s",
                "source": "t",
                "evidence": "monte_carlo",
                "variable": "y",
                "test": st.Inside(0.0, 1.0),
                "control": st.Control("m", test=st.Inside(2.0, 3.0)),
            }
            | changes
        )
    )


GRID = st.Grid(seed=range(4))
STUDY = st.Study(
    "demo", "A demonstration", GRID, lambda cell, rng: {"y": rng.normal()}, {"y": st.Variable("Value")}, [claim()]
)
DATA = xr.Dataset({"y": ("seed", np.linspace(0.4, 0.6, 4))}, {"seed": range(4)})
TEXT = {"None": None, "number": 3, "empty": "", "blank": "  ", "list": ["a"], "mapping": {}, "bytes": b"a"}
SAMPLES = measure(S, mixtures=False)


def stored():
    """A folder of results, deleted at the end of the process."""
    import atexit
    import tempfile

    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    us.run(STUDY, out=folder.name)
    return folder.name


def run_in_memory(**given):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        if given.get("out") == "somewhere":
            given["out"] = folder
        return us.run(**({"study": STUDY, "out": folder} | given))


def study_doors():
    """The objects of a study, and the tests."""
    ends = {
        "low": number(0.0, low=-np.inf).without("infinite", "minus infinite").also(above=9.0),
        "high": number(1.0, low=-np.inf).without("infinite", "minus infinite").also(below=-9.0),
    }
    along = {"along": Argument("x", TEXT).without("blank")}
    text = Argument("word", TEXT)
    mapping = Argument({}, {"None": None, "text": "abc", "number": 3, "list": [1], "keys": {1: 2}})
    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    y = 1 / x[:, None] + 0.01 * RNG.normal(size=(5, 4))
    tests = {
        "Inside": st.Inside(0.0, 1.0),
        "Rate": st.Rate(-2.0, 0.0, along="x"),
        "Limit": st.Limit(-1.0, 1.0, along="x", order=1),
        "Proportion": st.Proportion(0.0, 0.5, 10),
    }
    level = number(0.99, high=1.0)
    estimates = {}
    for test, made in tests.items():
        flat = test in ("Inside", "Proportion")
        data = np.array([0.1, 0.2, 0.3]) if flat else y
        arguments = {"level": level}
        arguments["y"] = Argument(
            data,
            {
                "None": None,
                "text": "abc",
                "object": object(),
                "ragged": [[1.0], [1.0, 2.0]],
                "mapping": {},
                "complex array": data + 1j,
                "cube": np.ones((2, 3, 4)),
                "text array": data.astype(str),
            },
        )
        if not flat:
            arguments["x"] = Argument(
                x,
                {
                    "text": "abc",
                    "object": object(),
                    "short": x[:3],
                    "None": None,
                    "complex array": x + 1j,
                    "mapping": {},
                    "text array": x.astype(str),
                    "matrix": np.ones((5, 2)),
                },
            )
        estimates[test] = [Door(f"{test}.estimate", made.estimate, arguments)]
    return {
        "Identity": [Door("Identity", st.Identity, {"c": number(2.0), "scale": text.without("blank")})],
        "Inside": [
            Door("Inside", st.Inside, ends | {"transform": name("log"), "of": name("geometric_mean", none=True)}),
            *estimates["Inside"],
        ],
        "Rate": [
            Door("Rate", st.Rate, ends | along | {"law": name("log"), "toward": name("zero"), "of": name("mean")}),
            *estimates["Rate"],
        ],
        "Limit": [
            Door(
                "Limit", st.Limit, ends | along | {"order": number(1.0, low=-np.inf).also(zero=0.0), "of": name("mean")}
            ),
            *estimates["Limit"],
        ],
        "Proportion": [
            Door(
                "Proportion",
                st.Proportion,
                {
                    "low": ends["low"],
                    "high": number(0.5, low=-np.inf).without("infinite", "minus infinite"),
                    "trials": integer(10),
                },
            ),
            *estimates["Proportion"],
        ],
        "Variable": [
            Door(
                "Variable",
                st.Variable,
                {
                    "long_name": text,
                    "units": text.without("empty", "blank"),
                    "symbol": text.without("empty", "blank"),
                    "error": text.without("None"),
                    "dims": Argument(("k",), {"number": 3, "numbers": (1, 2), "None": None}),
                    "coords": mapping.without("keys"),
                },
            )
        ],
        "Theorem": [
            Door(
                "Theorem.claim",
                lambda **g: st.Theorem(**({"id": "a.b", "statement": "It is.", "source": "here"} | g)).claim(
                    evidence="monte_carlo", variable="y", test=st.Inside(0, 1), control=st.Control("m", variable="z")
                ),
                {part: text.without("None") for part in ("id", "statement", "source")},
            )
        ],
        "known": [Door("known", lambda: st.known(1.0, 0.1), {})],
        "two_rules": [Door("two_rules", lambda: st.two_rules(1.0, 2.0), {})],
        "combine": [
            Door("combine", lambda part: st.combine(part), {"part": Argument(len, {"number": 3, "text": "abc"})})
        ],
        "Hypothesis": [Door("Hypothesis", st.Hypothesis, {"name": text, "variable": text} | ends)],
        "Control": [
            Door("Control", lambda **g: st.Control(**({"variable": "y"} | g)), {"mutation": text}),
            Door("Control", lambda **g: st.Control("m", **g), {"variable": text.without("None")}),
            Door(
                "Control",
                lambda **g: st.Control("m", **g),
                {"where": Argument({"a": "b"}, mapping.without("None").bad | {"empty": {}})},
            ),
            Door(
                "Control",
                lambda **g: st.Control("m", **g),
                {"test": Argument(st.Inside(0, 1), {"text": "abc", "class": st.Inside, "number": 3})},
            ),
        ],
        "Claim": [
            Door(
                "Claim",
                claim,
                {part: text for part in ("id", "statement", "source", "variable")}
                | {
                    "evidence": name("monte_carlo").also(symbolic="symbolic"),
                    "expect": name("supported"),
                    "profile": name("quick"),
                    "where": mapping,
                    "minus": mapping,
                    "test": Argument(st.Inside(0, 1), NO_OBJECT | {"class": st.Inside}),
                    "control": Argument(st.Control("m", variable="z"), NO_OBJECT),
                    "hypotheses": Argument((), {"number": 3, "text": "abc", "list": [1], "None": None}),
                    "regime": Argument("", {"None": None, "number": 3, "list": ["a"]}),
                    "finding": Argument("", {"None": None, "number": 3, "list": ["a"]}),
                },
            )
        ],
        "Grid": [
            Door(
                "Grid",
                lambda **g: st.Grid(**({"seed": range(3)} | g)),
                {
                    "seed": Argument(
                        range(3),
                        {
                            "text": "abc",
                            "number": 3,
                            "None": None,
                            "empty": [],
                            "nan": [np.nan],
                            "twice": [1, 1],
                            "mixed": [1, "a"],
                            "mapping": {"a": 1},
                            "set": {1, 2},
                            "nested": [[1]],
                            "matrix": np.ones((2, 2)),
                            "complex": [1j],
                            "truth": [True],
                            "huge": [10**30],
                            "objects": [object()],
                            "NUL": ["a\0b"],
                            "empty text": [""],
                        },
                    ),
                    "skip": Argument(None, {"text": "abc", "number": 3}),
                    "paired": Argument(
                        (), {"unknown": ("other",), "seed": ("seed",), "number": 3, "numbers": (1,), "None": None}
                    ),
                },
            )
        ],
        "Study": [
            Door(
                "Study",
                lambda **g: st.Study(
                    **(
                        {
                            "name": "demo",
                            "title": "t",
                            "grid": GRID,
                            "measure": len,
                            "variables": {"y": st.Variable("V")},
                        }
                        | g
                    )
                ),
                {
                    "name": text.also(blank_inside="a b", upper="Demo", path="../a"),
                    "title": text,
                    "grid": Argument(GRID, NO_OBJECT | {"class": st.Grid}),
                    "measure": function(len).without("no arguments"),
                    "variables": Argument(
                        {"y": st.Variable("V")},
                        NO_OBJECT
                        | {
                            "keys": {1: st.Variable("V")},
                            "values": {"y": 3},
                            "taken": {"status": st.Variable("V")},
                            "axis": {"seed": st.Variable("V")},
                        },
                    ),
                    "claims": Argument(
                        (), {"text": "abc", "number": 3, "None": None, "list": [1], "mapping": {"a": 1}}
                    ),
                    "profiles": Argument(
                        {},
                        {
                            "text": "abc",
                            "number": 3,
                            "None": None,
                            "unknown": {"tiny": {}},
                            "list": [1],
                            "values": {"full": 3},
                            "axis": {"full": {"other": [1]}},
                        },
                    ),
                },
            )
        ],
        "Derivation": [
            Door(
                "Derivation",
                lambda **g: st.Derivation(**({"claim": "a", "residual": len, "control": len, "agrees": len} | g)),
                {
                    "claim": text,
                    **{part: function(len).without("no arguments") for part in ("residual", "control", "agrees")},
                    "agreement": number(1e3),
                },
            )
        ],
        "Cell": [],
        "Map": [
            Door(
                "Map",
                lambda **g: st.Map(**({"claim": "a.b", "x": "a", "y": "b"} | g)),
                {
                    **{part: Argument(good, TEXT) for part, good in (("claim", "a.b"), ("x", "a"), ("y", "b"))},
                    "levels": integer(3, low=0).also(many=99),
                    "region": Argument((0.0, 1.0), {"number": 3.0, "three": (0.0, 1.0, 2.0), "mapping": {}}),
                    "anchor": Argument({}, {"None": None, "text": "abc", "number": 3, "list": [1], "keys": {1: 2}}),
                },
            )
        ],
        "judge": [],
        "judge_derivation": [
            Door(
                "judge_derivation",
                st.judge_derivation,
                {
                    "derivation": Argument(st.Derivation("a", lambda: 0, lambda: 1, lambda rng: 0.0), NO_OBJECT),
                    "rng": rng(),
                },
            )
        ],
        "open_results": [],
        "run": [],
    }


def doors():
    """One entry for each public name."""
    return {
        "judge": [
            Door(
                "judge",
                us.judge,
                {
                    "study": Argument(STUDY, NO_OBJECT | {"class": st.Study}),
                    "dataset": Argument(
                        DATA,
                        NO_OBJECT
                        | {
                            "no seed": xr.Dataset({"y": 1.0}),
                            "array": DATA["y"],
                            "repeated": xr.concat([DATA, DATA], "seed"),
                        },
                    ),
                    "until_decided": Argument(None, {"text": "abc", "number": 1, "list": [True], "mapping": {}}),
                },
            )
        ],
        "open_results": [
            Door(
                "open_results",
                us.open_results,
                {
                    "path": Argument(
                        stored(),
                        {
                            "missing": "/nowhere/at/all",
                            "file": __file__,
                            "number": 3,
                            "None": None,
                            "list": ["a"],
                            "NUL": "a\0b",
                            "object": object(),
                            "mapping": {},
                            "empty": "",
                        },
                    )
                },
            )
        ],
        "run": [
            Door(
                "run",
                run_in_memory,
                {
                    "study": Argument(STUDY, NO_OBJECT | {"class": st.Study}),
                    "profile": name("quick"),
                    "seed": integer(0, low=0),
                    "threads": integer(1),
                    "executor": Argument(None, {"text": "nonsense", "number": 3, "class": int, "mapping": {}}),
                    "out": Argument(
                        "somewhere",
                        {
                            "empty": "",
                            "number": 3,
                            "None": None,
                            "list": ["a"],
                            "NUL": "a\0b",
                            "file": __file__,
                            "object": object(),
                        },
                    ),
                },
            )
        ],
        "diagnose": [
            Door(
                "diagnose",
                us.diagnose,
                {
                    "target": measure(us.Samples(RNG.normal(size=(24, 2))), mixtures=False),
                    "model": measure(us.Samples(RNG.normal(size=(24, 2))), mixtures=False),
                    "kernel": name("laplace"),
                    "bandwidths": vector([0.5, 1.0], none=True)
                    .without("long", "matrix")
                    .also(negative=[-1.0], zero=[0.0], nested=[[0.5]]),
                    "queries": points(X, none=True),
                    "seed": integer(0, low=0),
                    "max_samples": integer(100),
                    "max_queries": integer(10),
                    "folds": integer(10, low=2),
                    "field": Argument(None, {"text": "abc", "number": 3.0, "array": Y}),
                },
            )
        ],
        "UnifiedScoreError": [],
        "testing": [
            Door("check_field", us.testing.check_field, {"field": Argument(FIELD, NO_OBJECT), "x": points(X)}),
            Door("check_kernel", us.testing.check_kernel, {"kernel": kernel(GAUSS).without("bandwidth")}),
            Door(
                "parametrize_with_checks",
                us.testing.parametrize_with_checks,
                {
                    "objects": Argument(
                        [FIELD],
                        {
                            "None": None,
                            "number": 3,
                            "nothing in it": [3],
                            "text": "abc",
                            "empty": [],
                            "object": object(),
                        },
                    )
                },
            ),
        ],
    } | {f"study.{entry}": made for entry, made in study_doors().items()}
