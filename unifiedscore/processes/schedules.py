"""Interpolation schedules: time 0 is noise, time 1 is data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError, UnknownNameError

SCHEDULES = ("foellmer", "vp_cosine", "rectified_flow")


@dataclass(frozen=True, slots=True)
class _Functions:
    """What a schedule of one's own is made of; each takes an array of times."""

    alpha: Callable
    alpha_rate: Callable
    beta_squared: Callable
    beta_squared_rate: Callable

    def __call__(self, which: str, t: np.ndarray):
        times = t.ravel()  # an array even for a single time
        values = validate.answer(getattr(self, which)(times), f"the function {which}", times.shape)
        values = values.astype(np.float64)
        if which == "beta_squared" and ((-1e-12 < values) & (values < 0)).any():
            values = np.maximum(values, 0.0)  # 1 - alpha^2 may round below 0 just before time 1
        return _plain(values.reshape(t.shape))


@final
@dataclass(frozen=True, slots=True)
class Schedule:
    r"""The reference interpolant :math:`X_t = \alpha_t X_1 + \beta_t X_0`, :math:`X_0 \sim N(0, I)`.

    Use when you choose how noise turns into data, or need the rates of that choice.

    ================  ============================  ==========================  ===================================
    name              alpha, beta                   eta                         signal-to-noise ratio
    ================  ============================  ==========================  ===================================
    foellmer          t, sqrt(t (1 - t))            1/2                         t / (1 - t)
    vp_cosine         sin(pi t/2), cos(pi t/2)      (pi/2) cot(pi t/2)          tan^2(pi t/2)
    rectified_flow    t, 1 - t                      (1 - t) / t                 t^2 / (1 - t)^2
    ================  ============================  ==========================  ===================================

    with :math:`\kappa = \alpha'/\alpha`, :math:`\eta = \beta(\kappa\beta - \beta')`, :math:`\lambda = \alpha^2/\beta^2`
    and :math:`\eta\,dt = \beta^2 d\lambda / (2\lambda)`. The noise :math:`\sigma^2 = 2\eta` is the memoryless one.

    Every method takes a number or an array of times and returns the same shape. `Schedule.from_functions` makes any
    other schedule.

    Parameters
    ----------
    name : {"foellmer", "vp_cosine", "rectified_flow"}

    Raises
    ------
    UnknownNameError
        The name is no schedule.
    InputError
        Times outside [0, 1]; time 0 where a rate is singular there; time 1 where a ratio to beta is.

    References
    ----------
    Domingo-Enrich, Du, Albergo 2026, arXiv 2605.00229.

    Examples
    --------
    >>> round(Schedule("rectified_flow").eta(0.7), 6)
    0.428571
    """

    name: str
    functions: _Functions | None = None

    def __post_init__(self) -> None:
        if self.functions is not None:
            if not isinstance(self.functions, _Functions):
                raise InputError(
                    f"functions must come from Schedule.from_functions; got {validate.shown(self.functions)}"
                )
            if not isinstance(self.name, str) or not self.name or self.name in SCHEDULES:
                raise InputError(f"name must be a text that is not one of {SCHEDULES}; got {validate.shown(self.name)}")
            return
        if not isinstance(self.name, str) or self.name not in SCHEDULES:
            raise UnknownNameError("schedule name", self.name, SCHEDULES)

    @classmethod
    def from_functions(
        cls,
        alpha: Callable,
        beta_squared: Callable,
        *,
        alpha_rate: Callable,
        beta_squared_rate: Callable,
        name: str = "custom",
    ) -> Schedule:
        r"""Return the schedule of these functions of time, after checking that they are one.

        Use when your process interpolates in a way that has no name here.

        The square of beta is asked for because beta itself need not be smooth at the ends. The rates are asked for
        because a difference quotient would spoil the digits of everything that follows.

        Parameters
        ----------
        alpha, beta_squared : function of an array of times
            :math:`\alpha` from 0 to 1, :math:`\beta^2` positive between the ends and 0 at time 1; their ratio
            :math:`\alpha^2/\beta^2` grows.
        alpha_rate, beta_squared_rate : function of an array of times
            Their derivatives.
        name : str
            What it is called in messages.

        Raises
        ------
        InputError
            Not functions, wrong ends, a rate that is not the derivative, or a ratio that does not grow.

        Examples
        --------
        >>> square = Schedule.from_functions(
        ...     lambda t: t**2,
        ...     lambda t: (1 - t) ** 2,
        ...     alpha_rate=lambda t: 2 * t,
        ...     beta_squared_rate=lambda t: 2 * t - 2,
        ... )
        >>> round(square.eta(0.5), 6), round(square.time_of_snr(1.0), 6)
        (1.5, 0.618034)
        """
        given = {"alpha": alpha, "alpha_rate": alpha_rate, "beta_squared": beta_squared}
        given["beta_squared_rate"] = beta_squared_rate
        for argument, function in given.items():
            validate.function(function, argument, "of an array of times")
        made = cls(name, _Functions(**given))
        _check(made)
        return made

    def alpha(self, t):
        """Weight of the data, 0 at time 0 and 1 at time 1."""
        t = read_times(t)
        if self.functions is not None:
            return self.functions("alpha", t)
        return _plain(np.sin(np.pi / 2 * t) if self.name == "vp_cosine" else t)

    def alpha_rate(self, t):
        """d alpha / dt."""
        t = read_times(t)
        if self.functions is not None:
            return self.functions("alpha_rate", t)
        return _plain(np.pi / 2 * np.cos(np.pi / 2 * t) if self.name == "vp_cosine" else np.ones_like(t))

    def beta(self, t):
        """Weight of the noise, 0 at time 1."""
        return _plain(np.sqrt(self.beta_squared(t)))

    def beta_squared(self, t):
        """beta^2: smooth at both ends, where the Foellmer beta is not."""
        t = read_times(t)
        if self.functions is not None:
            return self.functions("beta_squared", t)
        if self.name == "foellmer":
            return _plain(t * (1 - t))
        # sin of the complement: cos(pi t/2) at t = 1 is 6e-17, not 0.
        return _plain(np.sin(np.pi / 2 * (1 - t)) ** 2 if self.name == "vp_cosine" else (1 - t) ** 2)

    def beta_squared_rate(self, t):
        """d beta^2 / dt = 2 beta beta'."""
        t = read_times(t)
        if self.functions is not None:
            return self.functions("beta_squared_rate", t)
        if self.name == "foellmer":
            return _plain(1 - 2 * t)
        return _plain(-np.pi / 2 * np.sin(np.pi * t) if self.name == "vp_cosine" else -2 * (1 - t))

    def kappa(self, t):
        """alpha' / alpha; singular at time 0."""
        t = read_times(t, after_zero="kappa = alpha'/alpha")
        if self.functions is not None:
            return _plain(np.asarray(self.alpha_rate(t)) / self.alpha(t))
        return _plain(np.pi / 2 / np.tan(np.pi / 2 * t) if self.name == "vp_cosine" else 1 / t)

    def eta(self, t):
        """beta (kappa beta - beta'): half the squared memoryless noise; singular at time 0 unless Foellmer."""
        if self.name == "foellmer":
            return _plain(np.full_like(read_times(t), 0.5))
        t = read_times(t, after_zero="eta = beta (kappa beta - beta')")
        if self.functions is not None:
            # Not negative but for rounding: the ratio alpha^2/beta^2 grows.
            eta = np.asarray(self.kappa(t)) * self.beta_squared(t) - np.asarray(self.beta_squared_rate(t)) / 2
            return _plain(np.maximum(eta, 0.0))
        if self.name == "vp_cosine":
            # The complement keeps the zero at time 1 exact.
            return _plain(np.pi / 2 * np.sin(np.pi / 2 * (1 - t)) / np.sin(np.pi / 2 * t))
        return _plain((1 - t) / t)

    def sigma(self, t):
        """Memoryless noise sqrt(2 eta)."""
        return _plain(np.sqrt(2 * np.asarray(self.eta(t))))

    def snr(self, t):
        """Signal-to-noise ratio lambda = alpha^2 / beta^2; singular at time 1."""
        t = read_times(t, before_one="lambda = alpha^2/beta^2")
        if self.functions is not None:
            return _plain(np.asarray(self.alpha(t)) ** 2 / self.beta_squared(t))
        if self.name == "foellmer":
            return _plain(t / (1 - t))
        return _plain(np.tan(np.pi / 2 * t) ** 2 if self.name == "vp_cosine" else (t / (1 - t)) ** 2)

    def time_of_snr(self, snr):
        """The time at which the signal-to-noise ratio has the given positive value."""
        snr = validate.real_array(snr, "snr").astype(np.float64)
        if (snr <= 0).any():
            raise InputError(f"snr must be positive; the smallest is {snr.min()!r}")
        if self.functions is not None:
            return _plain(_bisect(self, snr))
        root = np.sqrt(snr)
        if self.name == "foellmer":
            return _plain(snr / (1 + snr))
        return _plain(2 / np.pi * np.arctan(root) if self.name == "vp_cosine" else root / (1 + root))

    def variance(self, t, data_variance=1.0):
        """Gamma = alpha^2 v + beta^2, the variance at time t of data of variance v."""
        data_variance = _variances(data_variance)
        return _plain(np.asarray(self.alpha(t)) ** 2 * data_variance + np.asarray(self.beta_squared(t)))

    def variance_rate(self, t, data_variance=1.0):
        """d Gamma / dt."""
        data_variance = _variances(data_variance)
        growth = 2 * np.asarray(self.alpha(t)) * np.asarray(self.alpha_rate(t)) * data_variance
        return _plain(growth + np.asarray(self.beta_squared_rate(t)))


def _check(schedule: Schedule) -> None:
    """Ends, derivatives and growth of a schedule of one's own."""
    name = schedule.name
    for which, t, wanted in (("alpha", 0.0, 0.0), ("alpha", 1.0, 1.0), ("beta_squared", 1.0, 0.0)):
        if not abs((got := getattr(schedule, which)(t)) - wanted) <= 1e-12:
            raise InputError(f"{which} must be {wanted:g} at time {t:g} in the schedule {name!r}; got {got!r}")
    t, h = np.linspace(0.05, 0.95, 19), 1e-3
    for which in ("alpha", "beta_squared"):
        f, rate = getattr(schedule, which), getattr(schedule, f"{which}_rate")(t)
        # Fourth order: the error is h^4/30 of the fifth derivative.
        slope = (8 * (f(t + h) - f(t - h)) - f(t + 2 * h) + f(t - 2 * h)) / (12 * h)
        wrong = np.abs(rate - slope) > 1e-6 * (1 + np.abs(slope))
        if wrong.any():
            at = int(wrong.argmax())
            raise InputError(
                f"{which}_rate must be the derivative of {which}: at time {t[at]:.3g} it gives {rate[at]:.6g}, "
                f"and {which} changes at the rate {slope[at]:.6g}"
            )
    inner = np.linspace(1e-3, 1 - 1e-3, 999)
    if (schedule.beta_squared(inner) <= 0).any():
        raise InputError(f"beta_squared must be positive between the ends in the schedule {name!r}")
    if (schedule.alpha(inner) <= 0).any() or (np.diff(schedule.snr(inner)) <= 0).any():
        raise InputError(
            f"alpha^2/beta_squared must grow from 0 to infinity in the schedule {name!r}: data replace noise for good"
        )


def _bisect(schedule: Schedule, snr: np.ndarray) -> np.ndarray:
    """Times of signal-to-noise ratios, by bisection of a function that grows."""
    low, high = np.zeros_like(snr), np.ones_like(snr)
    for _ in range(1100):  # halvings from 1 to the smallest float
        middle = (low + high) / 2
        if ((middle == low) | (middle == high)).all():
            break
        above = np.asarray(schedule.alpha(middle)) ** 2 > snr * np.asarray(schedule.beta_squared(middle))
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


def _variances(value):
    """Variances of the data, a number or an array."""
    value = validate.real_array(value, "data_variance").astype(np.float64)
    if (value < 0).any():
        raise InputError(f"data_variance must not be negative; the smallest is {float(value.min())!r}")
    return value


def read_times(t, *, after_zero: str = "", before_one: str = "", name: str = "t") -> np.ndarray:
    """Return times as float64; refuse what lies outside [0, 1], and the ends where the named quantity is singular."""
    t = validate.real_array(t, name).astype(np.float64)
    if ((t < 0) | (t > 1)).any():
        ends = f"{float(t.min())!r} to {float(t.max())!r}"
        raise InputError(f"{name} must lie in [0, 1] (0 is noise, 1 is data); got values from {ends}")
    if after_zero and (t == 0).any():
        raise InputError(f"t must be positive: {after_zero} is singular at time 0; start at a small positive time")
    if before_one and (t == 1).any():
        raise InputError(f"t must be below 1: {before_one} is singular at time 1; stop at a time just before it")
    return t


def read_time(t, *, after_zero: str = "", before_one: str = "") -> float:
    """The same for a single time."""
    t = read_times(t, after_zero=after_zero, before_one=before_one)
    if t.ndim:
        raise InputError(f"t must be a single time; got shape {t.shape}")
    return float(t)


def read_schedule(value) -> Schedule:
    """A schedule, or the one with that name."""
    return value if isinstance(value, Schedule) else Schedule(value)


def _plain(value):
    """A float for a single time."""
    return float(value) if np.ndim(value) == 0 else value
