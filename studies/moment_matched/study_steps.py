"""Step-size laws on the manifold: invariant laws of the discrete chains, without sampling.

Three particles on the line with V = 2/3 y^3 + y^4/2; the average of y^3 under the invariant law of every scheme. The
three schemes of the sampler are measured from the steps that `ManifoldChain` takes at every node of its noise, three
more, with one change alone, from formulas.
"""

import numpy as np

import unifiedscore as us
from unifiedscore import references
from unifiedscore.samplers import ManifoldChain
from unifiedscore.study import Claim, Control, Grid, Inside, Limit, Rate, Study, Theorem, Variable, known

POTENTIAL = lambda y: 2 / 3 * y**3 + y**4 / 2
SLOPE = lambda y: 2 * y**2 + 2 * y**3
CUBE = lambda y: y**3
QUADRATIC = lambda y: SLOPE(y) + 0.9 - 3.4 * y
CUBIC = lambda y: SLOPE(y) + 0.03 * y**2
RULES = ({"angles": 51, "noise": 40, "basis": 14}, {"angles": 41, "noise": 32, "basis": 12})
CONTRACTIONS = {(3, 1): "kappa_3_1", (12, 3): "kappa_12_3", (48, 10): "kappa_48_10"}
KAPPA = [f"{name}{end}" for name in CONTRACTIONS.values() for end in ("", "_one")]
# Schemes of the sampler, and the formula that differs from each in one thing.
NEIGHBOUR = {
    "euler-maruyama": "euler-maruyama geodesic",
    "leimkuhler-matthews": "leimkuhler-matthews transported",
    "geodesic-leimkuhler-matthews": "leimkuhler-matthews geodesic",
}


def formula(scheme, h, rule=RULES[0]):
    """E y^3 under the invariant law, from the formulas of a scheme."""
    return references.chain_average(scheme, SLOPE, CUBE, h, **rule)


def invariant(scheme, h, slope=SLOPE, rule=RULES[0]):
    """E y^3 under the invariant law, from the steps of the sampler."""
    return references.sampler_average(ManifoldChain(us.CenteredStiefel(3, 1), h, scheme), slope, CUBE, **rule)


def measure(cell, rng):
    scheme, h = cell["scheme"], cell["step"]
    law = references.three_particles(POTENTIAL, CUBE)
    own = scheme in NEIGHBOUR
    fine, coarse = ((invariant if own else formula)(scheme, h, rule=rule) for rule in RULES)
    # Euler needs no basis: its two rules agree to rounding.
    noise = abs(fine - coarse) + 1e-13
    found = dict.fromkeys((*KAPPA, "route", "route_near", "gibbs", "gibbs_cubic"), np.nan)
    if own:
        routes = {"route": fine - formula(scheme, h), "route_near": fine - formula(NEIGHBOUR[scheme], h)}
        found |= known(routes, noise)
    if scheme == BOTH:
        gaps = {"gibbs": invariant(scheme, h, QUADRATIC) - law, "gibbs_cubic": invariant(scheme, h, CUBIC) - law}
        found |= known(gaps, noise)
    if scheme == "euler-maruyama":
        for (p, d), name in CONTRACTIONS.items():
            # The overlap falls by c_h a step: -log c_h/h tends to kappa.
            speed = -np.log(float(references.euler_contraction(p, d, h))) / h
            pair = {name: abs(speed - references.contraction(p, d)), f"{name}_one": abs(speed - 1.0)}
            found |= known(pair, 1e-12)
    found |= known({"bias": fine - law, "size": abs(fine - law)}, noise)
    return found | {"slope": known((fine - law) / h, noise / h)}


HERE = "derived here"
FIRST, SECOND = Rate(0.9, 1.1, along="step", toward="zero"), Rate(1.9, 2.1, along="step", toward="zero")
BOTH, PUBLISHED = "geodesic-leimkuhler-matthews", "leimkuhler-matthews"


def order(name, scheme, statement, regime, *, test=FIRST, other=BOTH):
    return Claim(f"moment_matched.{name}", f"{statement}, for three particles on the line.", HERE, "quadrature", "size",
                 test, regime=regime, where={"scheme": scheme},
                 control=Control(f"the scheme {other}", where={"scheme": other}))  # fmt: skip


def constant(name, scheme, value, margin):
    limit = Limit(value - margin, value + margin, along="step", order=-1)
    return Claim(f"moment_matched.{name}", f"The bias of E y^3 of three particles under {scheme} is {value:+.3f} h.",
                 HERE, "quadrature", "slope", limit, regime="constant", where={"scheme": scheme},
                 control=Control(f"the scheme {NEIGHBOUR[scheme]}", where={"scheme": NEIGHBOUR[scheme]}))  # fmt: skip


route = Theorem("moment_matched.circle_chains",
                "The steps of the sampler have the invariant E y^3 of three particles that the formulas of their "
                "scheme give, to 1e-6 at steps up to .12.",
                HERE, "quadrature", "route", Inside(-1e-6, 1e-6))  # fmt: skip
study = Study(
    name="moment_matched_steps",
    title="Order in the step of both published schemes on the manifold, and of the second-order one",
    grid=Grid(scheme=list(references.CIRCLE_SCHEMES), step=[0.12, 0.06, 0.03, 0.015, 0.0075]), measure=measure,
    variables={
        "bias": Variable("Bias of E y^3 under the invariant law of the chain", symbol="E_h y^3 - E y^3"),
        "size": Variable("Size of the bias of E y^3 under the invariant law of the chain"),
        "slope": Variable("Bias of E y^3 under the invariant law of the chain over the step"),
        "route": Variable("Invariant E y^3 of the sampler's steps minus that of the formulas of their scheme"),
        "route_near": Variable("Invariant E y^3 of the sampler's steps minus that of formulas with one change"),
        "gibbs": Variable("Invariant E y^3 of the chain for V plus a quadratic minus that of the Gibbs law of V"),
        "gibbs_cubic": Variable("Invariant E y^3 of the chain for V + y^3/100 minus that of the Gibbs law of V"),
        **{
            f"{name}{end}": Variable(f"Distance of the decay of the overlap of {p} particles in dimension {d} to {to}")
            for (p, d), name in CONTRACTIONS.items()
            for end, to in (("", "kappa_P"), ("_one", "1"))
        },
    },
    claims=[
        *(
            Claim("moment_matched.finite_p_sde_kappa",
                  f"The overlap of uniform systems of {p} particles in dimension {d} decays at kappa_P, up to O(h).",
                  HERE, "quadrature", name, Rate(0.85, 1.15, along="step", toward="zero"),
                  regime=f"small steps, P = {p}, d = {d}", where={"scheme": "euler-maruyama"},
                  control=Control("kappa = 1, as for many particles", variable=f"{name}_one"))
            for (p, d), name in CONTRACTIONS.items()
        ),
        *(route.claim(regime=scheme, where={"scheme": scheme},
                      control=Control(f"the formulas of {near}", variable="route_near"))
          for scheme, near in NEIGHBOUR.items()),
        Claim("moment_matched.invariant_law",
              "As the step tends to 0 the chain on three particles has the Gibbs law of V on the manifold, whatever "
              "quadratic is added to V in its force.",
              HERE, "quadrature", "gibbs", Limit(-1e-5, 1e-5, along="step", order=-2), where={"scheme": BOTH},
              control=Control("y^3/100 is added", variable="gibbs_cubic")),
        order("weak_order_em", "euler-maruyama", "Euler-Maruyama is of first order", "retraction"),
        constant("weak_order_em", "euler-maruyama", 0.326, 0.0066),
        order("weak_order_lm", PUBLISHED, "The published Leimkuhler-Matthews step is of first order", "published"),
        constant("weak_order_lm", PUBLISHED, -0.154, 0.008),
        order("weak_order_lm", "leimkuhler-matthews geodesic",
              "Leimkuhler-Matthews with a geodesic step alone is of first order", "geodesic_only"),
        order("weak_order_lm", "leimkuhler-matthews transported",
              "Leimkuhler-Matthews with transport alone is of first order", "transport_only"),
        order("weak_order_lm", BOTH, "Leimkuhler-Matthews with geodesic and transport is of second order",
              "geodesic_and_transport", test=SECOND, other=PUBLISHED),
        Claim("moment_matched.weak_order_lm",
              "The published Leimkuhler-Matthews step is of second order for three particles on the line.",
              "order of the scheme in flat space", "quadrature", "size", SECOND,
              regime="flat_order", where={"scheme": PUBLISHED}, expect="refuted"),
    ],
)  # fmt: skip
