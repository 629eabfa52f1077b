"""What deterministic sampling does to a Gaussian with its exact denoiser: DDIM shrinks it, Heun is nearly exact."""

import numpy as np

import unifiedscore as us
from unifiedscore.learned import GaussianDenoiser, gaussian_sampling_gain, noise_levels, sample_denoiser
from unifiedscore.study import Control, Grid, Identity, Inside, Rate, Study, Theorem, Variable

STEPS = [40, 80, 160, 320, 640]
COVARIANCE = np.array([[1.0, 0.3], [0.3, 0.4]])
HIGH, LOW = 8.0, 0.02


def measure(cell, rng):
    scheme, levels = cell["scheme"], noise_levels(cell["n_steps"], high=HIGH, low=LOW)
    law = us.GaussianMixture([[0.7, -0.2]], COVARIANCE)
    values, vectors = np.linalg.eigh(COVARIANCE)
    axes = law.mean + (vectors * np.sqrt(values + HIGH**2)).T  # one standard deviation of the start along each axis
    denoiser = lambda x, h: GaussianDenoiser(law, h)(x)
    ends = sample_denoiser(denoiser, axes, levels=levels, scheme=scheme) - law.mean
    spreads = np.linalg.norm(ends, axis=1) / np.sqrt(values)
    gains = [gaussian_sampling_gain(levels, scale=np.sqrt(v), scheme=scheme) for v in values]
    other = "ddim" if scheme == "heun" else "heun"
    one = gaussian_sampling_gain(levels, scheme=scheme)
    # However many the steps, the last one, from LOW to 0, takes 1/(1 + LOW^2) where the flow takes its root.
    bias = lambda name: abs(1 - np.sqrt(1 + LOW**2) * gaussian_sampling_gain(levels, scheme=name))
    return {
        "gap": np.abs(spreads - gains).max(),
        "gap_scale": np.abs(spreads - one).max(),
        "unit": 1.0,
        "shrinkage": 1 - one,
        "bias": bias(scheme),
        "bias_other": bias(other),
        "bias_error": 1e-13, "bias_other_error": 1e-13, "shrinkage_error": 1e-13,
    }  # fmt: skip


sampling = Theorem("learned.sampling_bias", source="derived here; schemes of Karras et al. 2022, arXiv 2206.00364")


def order(n):
    return Rate(-n - 0.1, -n + 0.1, along="n_steps")


study = Study(
    name="learned_sampling", title="Bias of deterministic samplers on a Gaussian",
    grid=Grid(scheme=["ddim", "heun"], n_steps=STEPS), measure=measure,
    variables={
        "gap": Variable("Largest gap between a sampled deviation and the product of the factors of the steps"),
        "gap_scale": Variable("Largest gap between a sampled deviation and the product for the unit Gaussian"),
        "unit": Variable("One"),
        "shrinkage": Variable("1 minus the sampled deviation of N(0, 1)", error="shrinkage_error"),
        "bias": Variable("Relative error of the deviation, last step left out", error="bias_error"),
        "bias_other": Variable("Relative error of the deviation by the other scheme, last step left out",
                               error="bias_other_error"),
    },
    claims=[
        sampling.claim(regime="factors", evidence="exact", variable="gap", test=Identity(c=500, scale="unit"),
                       statement="DDIM and Heun multiply each principal deviation of a Gaussian by the stated factors "
                                 "of their steps, levels 8 to .02 to 0.",
                       control=Control("the factors of a unit Gaussian", variable="gap_scale")),
        *(sampling.claim(regime=f"order, {scheme}", evidence="quadrature", variable="bias", test=order(n),
                         where={"scheme": scheme},
                         statement=f"Apart from the last step the relative error of the deviation of N(0, 1) by {name} "
                                   f"falls like K^-{n} in the number of steps K, levels 8 to .02 to 0.",
                         control=Control("the other scheme", variable="bias_other"))
          for scheme, name, n in (("ddim", "DDIM", 1), ("heun", "Heun", 2))),
        sampling.claim(regime="forty steps", evidence="quadrature", variable="shrinkage", test=Inside(0.03, 0.05),
                       where={"scheme": "ddim", "n_steps": 40},
                       statement="Forty DDIM steps from 8 to .02 to 0 shrink a standard Gaussian by 3 to 5 %.",
                       control=Control("Heun", where={"scheme": "heun"})),
    ],
)  # fmt: skip
