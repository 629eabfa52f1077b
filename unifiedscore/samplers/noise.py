"""The noise policies: how the tuple that smooths a field is drawn. They are part of the model: each has its own law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


@final
@dataclass(frozen=True, slots=True)
class NoisePolicy:
    r"""One way to draw the tuple $\epsilon_1 \dots \epsilon_M$ of every path.

    Attributes
    ----------
    name : str
    antithetic : bool
        Whether $\epsilon_{m + M/2} = -\epsilon_m$, so that the tuple sums to zero.
    fresh : bool
        Whether it is drawn anew at every step.
    shared : bool
        Whether all paths have the same tuple; they are then dependent, and error bars across them are invalid.
    population : bool
        Whether the average over noise is exact (infinitely many draws).
    """

    name: str
    antithetic: bool = False
    fresh: bool = False
    shared: bool = False
    population: bool = False


NOISE_POLICIES = {
    policy.name: policy
    for policy in (
        NoisePolicy("fixed"),
        NoisePolicy("fixed_antithetic", antithetic=True),
        NoisePolicy("fresh", fresh=True),
        NoisePolicy("fresh_antithetic", antithetic=True, fresh=True),
        NoisePolicy("shared", shared=True),
        NoisePolicy("population", population=True),
    )
}


def policy_by_name(name) -> NoisePolicy:
    """Return the policy of that name (a `NoisePolicy` passes through)."""
    if isinstance(name, NoisePolicy):
        return name
    return NOISE_POLICIES[validate.known(name, "noise_policy", NOISE_POLICIES)]


def draw_noise(policy, n: int, draws: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
    """Draw one tuple per path: (n, M, d), or (M, d) where all paths share it.

    Parameters
    ----------
    policy : str or NoisePolicy
        Not "population", which draws nothing.
    n, draws, dimension : int
        Paths n, draws M in a tuple (even where antithetic), dimension d.
    rng : numpy.random.Generator

    Raises
    ------
    InputError
        An odd number of draws with an antithetic policy, or the population.
    UnknownNameError
        The policy is not in the table.

    Examples
    --------
    >>> import numpy as np
    >>> draw_noise("fixed_antithetic", 5, 4, 2, np.random.default_rng(0)).sum(1).tolist()[0]
    [0.0, 0.0]
    """
    policy = policy_by_name(policy)
    n, dimension = validate.integer(n, "n_samples"), validate.integer(dimension, "dimension")
    draws = checked_draws(policy, draws)
    if policy.population:
        raise InputError("the noise policy 'population' draws no noise")
    shape = (draws, dimension) if policy.shared else (n, draws, dimension)
    if not policy.antithetic:
        return validate.generator(rng).standard_normal(shape)
    half = validate.generator(rng).standard_normal((n, draws // 2, dimension))
    return np.concatenate([half, -half], axis=1)


def checked_draws(policy: NoisePolicy, draws) -> int:
    """Return the number of draws after checking it against the policy."""
    draws = validate.integer(draws, "noise_draws")
    if policy.antithetic and draws % 2:
        raise InputError(f"noise_draws must be even with the noise policy {policy.name!r}; got {draws}")
    return draws
