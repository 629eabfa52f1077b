"""The noise policies: how the tuple that smooths a field is drawn. They are part of the model: each has its own law."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


@final
@dataclass(frozen=True, slots=True)
class NoisePolicy:
    r"""One way to draw the tuple $\epsilon_1 \dots \epsilon_M$ of every path.

    Use when you ask what a noise policy does: whether its draws are antithetic, fresh or shared.

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
    """Return the policy of that name (a `NoisePolicy` passes through).

    Use when the noise policy comes as text, or you need its properties.
    """
    if isinstance(name, NoisePolicy):
        return name
    return NOISE_POLICIES[validate.known(name, "noise_policy", NOISE_POLICIES)]


def draw_noise(policy, n: int, draws: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
    """Draw one tuple per path: (n, M, d), or (M, d) where all paths share it.

    Use when you need the noise of a policy outside of a sampler, to give it to two of them.

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
    n, dimension = validate.integer(n, "n"), validate.integer(dimension, "dimension")
    draws = checked_draws(policy, draws)
    if policy.population:
        raise InputError("the noise policy 'population' draws no noise")
    shape = (draws, dimension) if policy.shared else (n, draws, dimension)
    if not policy.antithetic:
        return validate.generator(rng).standard_normal(shape)
    half = validate.generator(rng).standard_normal((n, draws // 2, dimension))
    noise = np.empty(shape)
    noise[:, : draws // 2] = half
    np.negative(half, out=noise[:, draws // 2 :])
    return noise


def checked_draws(policy: NoisePolicy, draws) -> int:
    """Return the number of draws after checking it against the policy."""
    draws = validate.integer(draws, "noise_draws")
    if policy.antithetic and draws % 2:
        raise InputError(f"noise_draws must be even with the noise policy {policy.name!r}; got {draws}")
    return draws


@final
@dataclass(frozen=True, slots=True)
class NoiseStream:
    """The noise tuples of every step of a sampler, drawn or given, by one policy.

    Parameters
    ----------
    policy : NoisePolicy
    smoothing : float
        Without smoothing no noise is drawn.
    n, draws, dimension : int
        Paths n, draws M in a tuple, dimension d.
    rng : numpy.random.Generator
    given : array, optional
        Noise instead of drawn: (n, M, d); (M, d) where all paths share it; (steps, n, M, d) for the fresh policies.

    Raises
    ------
    InputError
        Given noise that is not finite, has another shape or too few steps, or is given to the population.

    Examples
    --------
    >>> import numpy as np
    >>> fixed = NoiseStream(policy_by_name("fixed"), 0.1, 5, 4, 2, np.random.default_rng(0))
    >>> fixed.tuples(0).shape, fixed.tuples(1) is fixed.tuples(0)
    ((5, 4, 2), True)
    """

    policy: NoisePolicy
    smoothing: float
    n: int
    draws: int
    dimension: int
    rng: np.random.Generator
    given: np.ndarray | None = None
    _fixed: list = field(default_factory=list, init=False, repr=False)

    def __post_init__(self):
        if self.given is None:
            return
        if self.policy.population:
            raise InputError("noise must not be given with the policy 'population', which averages over all of it")
        given = validate.real_array(self.given, "noise").astype(np.float64, copy=False)
        if self.policy.fresh and given.ndim != 4:
            raise InputError(f"noise of a fresh policy must have shape (steps, n, M, d); got {given.shape}")
        object.__setattr__(self, "given", given)

    def each_step(self, n_steps: int) -> Iterator[np.ndarray | str | None]:
        """Yield `tuples` of the steps 0 ... n_steps - 1, the next one drawn by a thread while this one is used."""
        with ThreadPoolExecutor(1) as worker:
            upcoming = worker.submit(self.tuples, 0)
            for step in range(1, n_steps + 1):
                current = upcoming.result()
                if step < n_steps:
                    upcoming = worker.submit(self.tuples, step)
                yield current

    def tuples(self, step: int) -> np.ndarray | str | None:
        """Noise of this step: None (no smoothing), "population", (M, d) or (n, M, d)."""
        if self.smoothing == 0.0:
            return None
        if self.policy.population:
            return "population"
        if self.policy.fresh:
            if self.given is None:
                return self._draw()
            if step >= len(self.given):
                raise InputError(f"noise holds {len(self.given)} steps; step {step + 1} needs one more")
            return self._checked(self.given[step])
        if not self._fixed:
            self._fixed.append(self._draw() if self.given is None else self._checked(self.given))
        return self._fixed[0]

    def _draw(self):
        return draw_noise(self.policy, self.n, self.draws, self.dimension, self.rng)

    def _checked(self, noise):
        wanted = (self.draws, self.dimension) if self.policy.shared else (self.n, self.draws, self.dimension)
        if noise.shape != wanted:
            raise InputError(f"noise of the policy {self.policy.name!r} must have shape {wanted}; got {noise.shape}")
        return noise
