"""Step-size laws on the manifold: invariant laws of the discrete chains, without sampling.

Three particles on the line with V = 2/3 y^3 + y^4/2; the average of y^3 under the invariant law of every scheme.
"""

import numpy as np

from unifiedscore import references
from unifiedscore.study import Claim, Control, Grid, Limit, Rate, Study, Variable, known

POTENTIAL = lambda y: 2 / 3 * y**3 + y**4 / 2
SLOPE = lambda y: 2 * y**2 + 2 * y**3
CUBE = lambda y: y**3
CONTRACTIONS = {(3, 1): "kappa_3_1", (12, 3): "kappa_12_3", (48, 10): "kappa_48_10"}
KAPPA = [f"{name}{end}" for name in CONTRACTIONS.values() for end in ("", "_one")]


def measure(cell, rng):
    scheme, h = cell["scheme"], cell["step"]
    law = references.three_particles(POTENTIAL, CUBE)
    fine, coarse = (
        references.chain_average(scheme, SLOPE, CUBE, h, angles=a, noise=n, basis=b)
        for a, n, b in ((51, 40, 14), (41, 32, 12))
    )
    # Euler needs no basis: its two rules agree to rounding.
    noise = abs(fine - coarse) + 1e-13
    kappa = {}
    if scheme == "euler-maruyama":
        for (p, d), name in CONTRACTIONS.items():
            # The overlap falls by c_h a step: -log c_h/h tends to kappa.
            speed = -np.log(float(references.euler_contraction(p, d, h))) / h
            kappa |= {name: abs(speed - references.contraction(p, d)), f"{name}_one": abs(speed - 1.0)}
    biases = known({"bias": fine - law, "size": abs(fine - law)}, noise)
    biases |= {"slope": known((fine - law) / h, noise / h)}
    return known(dict.fromkeys(KAPPA, np.nan) | kappa, 1e-12) | biases


DERIVED, EXPECTED = "derived here", set(CONTRACTIONS.values())
FIRST, SECOND = Rate(0.9, 1.1, along="step", toward="zero"), Rate(1.9, 2.1, along="step", toward="zero")


def order(name, scheme, statement, test, other, regime):
    return Claim(f"moment_matched.{name}", statement, DERIVED, "quadrature", "size", test,
                 regime=regime, where={"scheme": scheme}, control=Control("the other order", test=other))  # fmt: skip


def constant(name, scheme, value, margin):
    limit = lambda center: Limit(center - margin, center + margin, along="step", order=-1)
    return Claim(f"moment_matched.{name}", f"The bias of E y^3 of three particles under {scheme} is {value:+.3f} h.",
                 DERIVED, "quadrature", "slope", limit(value), regime="constant", where={"scheme": scheme},
                 control=Control("no bias of first order", test=limit(0.0)))  # fmt: skip


study = Study(
    name="moment_matched_steps",
    title="Order in the step of both published schemes on the manifold, and of the second-order one",
    grid=Grid(scheme=list(references.CIRCLE_SCHEMES), step=[0.12, 0.06, 0.03, 0.015, 0.0075]), measure=measure,
    variables={
        "bias": Variable("Bias of E y^3 under the invariant law", symbol="E_h y^3 - E y^3"),
        "size": Variable("Size of the bias of E y^3 under the invariant law"),
        "slope": Variable("Bias of E y^3 under the invariant law over the step"),
        **{
            name: Variable(f"Distance of the decay of the overlap to {'kappa_P' if name in EXPECTED else '1'}")
            for name in KAPPA
        },
    },
    claims=[
        *(
            Claim("moment_matched.finite_p_sde_kappa", "The overlap of uniform systems decays at kappa_P, up to O(h).",
                  "derived here", "quadrature", name, Rate(0.85, 1.15, along="step", toward="zero"),
                  regime=f"small steps, P = {p}, d = {d}", where={"scheme": "euler-maruyama"},
                  control=Control("kappa = 1, as for many particles", variable=f"{name}_one"))
            for (p, d), name in CONTRACTIONS.items()
        ),
        order("weak_order_em", "euler-maruyama", "Euler-Maruyama is of first order.", FIRST, SECOND, "retraction"),
        constant("weak_order_em", "euler-maruyama", 0.326, 0.0066),
        order("weak_order_lm", "leimkuhler-matthews", "The published Leimkuhler-Matthews step is of first order.",
              FIRST, SECOND, "published"),
        constant("weak_order_lm", "leimkuhler-matthews", -0.154, 0.008),
        order("weak_order_lm", "leimkuhler-matthews geodesic",
              "Leimkuhler-Matthews with a geodesic step alone is of first order.", FIRST, SECOND, "geodesic_only"),
        order("weak_order_lm", "leimkuhler-matthews transported",
              "Leimkuhler-Matthews with transport alone is of first order.", FIRST, SECOND, "transport_only"),
        order("weak_order_lm", "geodesic-leimkuhler-matthews",
              "Leimkuhler-Matthews with geodesic and transport is of second order.", SECOND, FIRST,
              "geodesic_and_transport"),
        Claim("moment_matched.weak_order_lm", "The published Leimkuhler-Matthews step is of second order.",
              "order of the scheme in flat space", "quadrature", "size", SECOND,
              regime="flat_order", where={"scheme": "leimkuhler-matthews"}, expect="refuted"),
    ],
)  # fmt: skip
