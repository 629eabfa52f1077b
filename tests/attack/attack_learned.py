"""Calls of networks. Without PyTorch there is nothing to call: that they say so is tested in tests/learned."""

from atexit import register
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import numpy as np
from attack_arguments import Argument, function, integer, measure, name, number, points, vector
from attack_objects import ZERO, Door, X, at

import unifiedscore as us
from unifiedscore import learned


@cache
def stored():
    """The checkpoint of a network that was trained for a step."""
    path = Path(mkdtemp()) / "network.safetensors"
    learned.train_denoiser(X, rng=np.random.default_rng(0), n_steps=1, width=4, hidden=1, checkpoint=path)
    register(rmtree, path.parent)
    return path


def doors():
    """One entry for each public name."""
    if find_spec("torch") is None:
        return {name: [] for name in ("LearnedDenoiser", "diagnose_score", "load_network")}
    made = us.LearnedDenoiser(lambda u, label: -u, dimension=2)
    return {
        "LearnedDenoiser": [
            Door(
                "LearnedDenoiser",
                lambda module, **more: us.LearnedDenoiser(module, **more).at_level(0.5)(X),
                {
                    "module": function(
                        lambda u, label: -u,
                        outputs={
                            "array": lambda u, label: np.ones(2),
                            "another shape": lambda u, label: u[:1],
                            "one argument": lambda u: u,
                        },
                    ),
                    "scale": number(1.5).without(*ZERO),
                    "mean": vector(np.zeros(2)).without("number", "text"),
                    "dimension": integer(2, none=True),
                    "parametrisation": name("noise"),
                    "convention": name("vp"),
                    "levels": vector(np.array([0.1, 2.0]), none=True).also(falling=[2.0, 0.1], three=[1.0, 2.0, 3.0]),
                    "dtype": Argument(None, {"text": "float64", "number": 3.0}),
                    "batch_size": integer(4, high=False),
                },
            ),
            Door("LearnedDenoiser()", made, {"x": points(X), "level": number(0.5)}),
            *at(made.at(0.5)),
            *at(made.velocity(0.5)),
        ],
        "diagnose_score": [
            Door(
                "diagnose_score",
                us.diagnose_score,
                {
                    "network": Argument(
                        lambda x, h: 0.5 * x, {"None": None, "number": 3.0, "text": "abc", "array": np.ones((2, 2))}
                    ),
                    "data": measure(us.Samples(np.random.default_rng(0).normal(size=(9, 2))), mixtures=False),
                    "levels": vector(np.array([0.5]), none=True).without("long").also(falling=[2.0, 1.0], zero=[0.0]),
                    "law": name("box"),
                    "queries": integer(4, high=True),
                    "seed": integer(1, low=0),
                },
            )
        ],
        "load_network": [
            Door(
                "load_network",
                lambda path, **more: us.load_network(path, **more)(X, 0.5),
                {
                    "path": Argument(stored(), {"missing": "missing", "number": 3, "None": None, "list": ["a"]}),
                    "member": integer(0, low=0).also(beyond=1),
                    "weights": name("last"),
                },
            )
        ],
    }
