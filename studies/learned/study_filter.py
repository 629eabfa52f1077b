"""Gradient flow in a kernel regime as a low-pass filter: the smoothing that it is equivalent to, against time."""

import numpy as np

from unifiedscore.learned import fit_filter, gradient_flow_gains
from unifiedscore.study import Claim, Control, Grid, Inside, Rate, Study, Theorem, Variable, known

TIMES = [1e2, 1e3, 1e4, 1e5, 1e6]
ODD = np.arange(1.0, 4001.0, 2.0)  # a square wave has odd harmonics alone, with coefficients 1/k
SPECTRA = {"line": lambda k: k**-2.0, "plane": lambda k: k**-3.0, "rbf": lambda k: np.exp(-0.045 * k**2)}


def by_steps(spectrum, time):
    """Gains of plain gradient descent from zero on every mode, by repeated squaring of one step's factor."""
    factor = 1 - spectrum * time / 2**24
    for _ in range(24):
        factor = factor**2
    return 1 - factor


def measure(cell, rng):
    spectrum = SPECTRA[cell["spectrum"]](ODD)
    gains = gradient_flow_gains(spectrum, cell["time"])
    fit, wrong = (fit_filter(g, 1 / ODD, ODD) for g in (gains, gradient_flow_gains(SPECTRA["rbf"](ODD), cell["time"])))
    return known({"smoothing": fit.smoothing, "smoothing_rbf": wrong.smoothing}, 1e-7) | known(
        {
            "share": fit.share,
            "flow": np.abs(gains - by_steps(spectrum, cell["time"])).max(),
            "flow_twice": np.abs(gains - by_steps(spectrum, 2 * cell["time"])).max(),
        },
        1e-6,
    )


kernel = Theorem("learned.kernel_filter", source="derived here", evidence="quadrature")
study = Study(
    name="learned_filter", title="Gradient flow in a kernel regime as smoothing",
    grid=Grid(spectrum=list(SPECTRA), time=TIMES), measure=measure,
    variables={
        "smoothing": Variable("Smoothing nearest to the filter on a square wave", symbol="sigma_eff"),
        "smoothing_rbf": Variable("Smoothing nearest to the filter of the kernel exp(-.045 k^2)"),
        "share": Variable("Share of what is missing from the square wave that the smoothing explains", symbol="R"),
        "flow": Variable("Largest gap between the gains and gradient descent"),
        "flow_twice": Variable("Largest gap between the gains and gradient descent for twice the time"),
    },
    claims=[
        *(kernel.claim(regime=f"{name}, rate", variable="smoothing", where={"spectrum": name},
                       test=Rate(-1 / p - 0.01, -1 / p + 0.01, along="time"),
                       statement=f"For the spectrum k^-{p} gradient flow on a square wave smooths by sigma_eff "
                                 f"proportional to u^(-1/{p}), u = 1e2 to 1e6.",
                       control=Control("an RBF kernel, whose smoothing falls like a logarithm",
                                       variable="smoothing_rbf"))
          for name, p in (("line", 2), ("plane", 3))),
        kernel.claim(regime="share", variable="share", where={"spectrum": ["line", "plane"]}, test=Inside(0.95, 1.0),
                     statement="For the spectra k^-2 and k^-3 Gaussian smoothing explains at least 95 % of what "
                               "gradient flow leaves out of a square wave, u = 1e2 to 1e6.",
                     control=Control("an RBF kernel", where={"spectrum": "rbf"})),
        Claim("learned.kernel_filter",
              "The gains 1 - exp(-u K(k)) are those of gradient descent from zero in the limit of small steps.",
              "derived here", "quadrature", "flow", Inside(-np.inf, 1e-5), regime="gradient descent",
              control=Control("twice the time", variable="flow_twice")),
    ],
)  # fmt: skip
