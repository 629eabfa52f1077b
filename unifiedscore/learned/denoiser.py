"""A denoising network as fields: denoiser, score and velocity at every time, in float64 and without a graph."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.extras import require_torch
from unifiedscore.fields.module import known_dimension, read_device
from unifiedscore.learned.network_field import NetworkField
from unifiedscore.learned.parametrisation import CONVENTIONS, PARAMETRISATIONS, Linear, linear
from unifiedscore.processes.schedules import Schedule, read_schedule, read_time

FAILURES = RuntimeError, TypeError, ValueError, AssertionError, LookupError, AttributeError, ArithmeticError
_PROBE = 1.0  # the noise level at which the network is called once, to see whether it fits


@final
@dataclass(frozen=True, slots=True, init=False, eq=False)
class LearnedDenoiser:
    r"""A network as a denoiser :math:`D(x, h)`, and as score and velocity at every time of every schedule.

    Use when you have a trained network and want to evaluate, diagnose or sample it as a field.

    The denoiser at a noise level h depends on the point y + h z alone: one network serves every schedule. It is
    standardised outside and parametrised inside,

    .. math:: D(x, h) = m + \varsigma\,\tilde D\big((x - m)/\varsigma,\ h/\varsigma\big),

    where D~ follows from the output F of the network:

    ================  ================================================================  ===========================
    parametrisation   F is                                                              the network sees
    ================  ================================================================  ===========================
    preconditioned    what EDM regresses on (see `Preconditioning`, of scale 1)          x / n, log(h) / 4
    plain             D~                                                                x / n, log(h) / 4
    denoiser          D~                                                                its own state and label
    noise             the noise z                                                       its own state and label
    score             the gradient of the log density of its own state                  its own state and label
    velocity          data - noise; under "vp" the v of progressive distillation         its own state and label
    ================  ================================================================  ===========================

    Its own state is y + h z under the convention "ve", (y + h z)/sqrt(1 + h^2) under "vp" and (y + h z)/(1 + h) under
    "rectified_flow"; the label is h, and the time 1/(1 + h) from noise to data under "rectified_flow".

    Parameters
    ----------
    module : callable of tensors (n, d), (n,) -> (n, d)
        A `torch.nn.Module` is copied: the copy is in evaluation mode, its parameters have the dtype asked for and no
        gradient. Training it on does not change this denoiser.
    scale, mean : float, (d,) array
        :math:`\varsigma` and m of the data it was trained on, if it was trained on standardised ones.
    dimension : int, optional
        d, where neither the mean nor the first and last linear layer of the module say it.
    parametrisation : {"preconditioned", "plain", "denoiser", "noise", "score", "velocity"}
    convention : {"ve", "vp", "rectified_flow"}
    label : callable h -> float, optional
        What the network is told about the noise level, such as its own time step; h in units of the scale.
    levels : (float, float), optional
        Noise levels, in the units of the data, between which the network was trained. Beyond them the label is
        clipped: outside its range a network is arbitrary.
    dtype : torch.dtype, optional
        float64 by default. In float32, points go in tiles of one size, so that a value does not depend on its batch.
    device : optional
        "cpu" by default, wherever the module is.
    batch_size : int
        Points of one call of the module.

    Raises
    ------
    InputError
        The module does not map points of that dimension to such points, or an argument is not one of the above.
    MissingDependencyError
        PyTorch is not installed.

    References
    ----------
    Karras et al. 2022, arXiv 2206.00364; Salimans, Ho 2022, arXiv 2202.00512.

    Examples
    --------
    >>> noise = lambda x, h: x * (h / (1 + h**2))[:, None]  # of standard normal data
    >>> denoiser = LearnedDenoiser(noise, dimension=2, parametrisation="noise", convention="ve")
    >>> denoiser([[1.0, 2.0]], 0.5)
    array([[0.8, 1.6]])
    >>> denoiser.score(0.5)([[1.0, 2.0]])
    array([[-2., -4.]])
    """

    module: Callable
    scale: float
    mean: np.ndarray
    dimension: int
    parametrisation: str
    convention: str
    label: Callable | None
    levels: tuple[float, float]
    dtype: object
    device: object = field(repr=False)
    batch_size: int = field(repr=False)

    def __init__(
        self,
        module,
        scale=1.0,
        mean=0.0,
        *,
        dimension=None,
        parametrisation="preconditioned",
        convention="ve",
        label=None,
        levels=None,
        dtype=None,
        device=None,
        batch_size=4096,
    ):
        validate.function(module, "module", "of points (n, d) and labels (n,) as tensors")
        torch = require_torch("a network as a field")
        scale = validate.positive(scale, "scale")
        mean = validate.real_array(mean, "mean").astype(np.float64)
        if dimension is None:
            dimension = len(mean) if mean.ndim == 1 else known_dimension(module)
        if dimension is None:
            raise InputError("dimension is not known: pass dimension=d, the dimension of the data")
        dimension = validate.integer(dimension, "dimension")
        if mean.ndim > 1 or (mean.ndim == 1 and len(mean) != dimension):
            raise InputError(f"mean must be a number or an array ({dimension},); got shape {mean.shape}")
        validate.choice(parametrisation, "parametrisation", PARAMETRISATIONS)
        validate.choice(convention, "convention", CONVENTIONS)
        if parametrisation == "velocity" and convention == "ve":
            raise InputError("under the convention 've' a velocity is the noise: write parametrisation='noise'")
        if label is not None:
            validate.function(label, "label", "of the noise level", arguments=1)
        dtype = torch.float64 if dtype is None else dtype
        if dtype not in (torch.float32, torch.float64):
            raise InputError(f"dtype must be torch.float64 or torch.float32; got {validate.shown(dtype)}")
        device = read_device("cpu" if device is None else device)
        if isinstance(module, torch.nn.Module):
            module = deepcopy(module).to(device=device, dtype=dtype).eval().requires_grad_(False)
        values = {
            "module": module,
            "scale": scale,
            "mean": np.broadcast_to(mean, (dimension,)).copy(),
            "dimension": dimension,
            "parametrisation": parametrisation,
            "convention": convention,
            "label": label,
            "levels": _levels(levels),
            "dtype": dtype,
            "device": device,
            "batch_size": validate.integer(batch_size, "batch_size"),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        _probe(self)

    def __call__(self, x, level) -> np.ndarray:
        """D(x, h) at points x = y + h z in the units of the data, (n, d); for `sample_denoiser`."""
        return self.at_level(level)(x)

    def at_level(self, level) -> NetworkField:
        """The denoiser as a field at the noise level h > 0, of points y + h z."""
        return self._denoiser(1.0, validate.positive(level, "level"))

    def at(self, t, *, schedule="rectified_flow") -> NetworkField:
        """The denoiser E[y | x_t = x] as a field at the time t in [0, 1] of a schedule."""
        schedule, t = read_schedule(schedule), read_time(t)
        return self._denoiser(*self._weights(schedule, t))

    def score(self, t, *, schedule="rectified_flow") -> NetworkField:
        """The score of the noisy data as a field at the time t in [0, 1) of a schedule."""
        schedule, t = read_schedule(schedule), read_time(t, before_one="the score")
        alpha, beta = self._weights(schedule, t)
        at = self._linear(alpha, beta)
        return self._field(at, alpha, 0.0, -at.noise_skip / beta, at.noise_output / beta)

    def velocity(self, t, *, schedule="rectified_flow") -> NetworkField:
        """The velocity of the probability flow as a field at the time t of a schedule; finite on [0, 1] where its rates
        are."""
        schedule, t = read_schedule(schedule), read_time(t)
        alpha, beta = self._weights(schedule, t)
        at, data = self._linear(alpha, beta), schedule.alpha_rate(t)
        noise = _noise_rate(schedule, t)
        skip = data * self.scale * at.skip + noise * at.noise_skip
        return self._field(at, alpha, data, skip, data * self.scale * at.output - noise * at.noise_output)

    def _denoiser(self, alpha: float, beta: float) -> NetworkField:
        at = self._linear(alpha, beta)
        return self._field(at, alpha, 1.0, self.scale * at.skip, self.scale * at.output)

    def _weights(self, schedule: Schedule, t: float) -> tuple[float, float]:
        alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
        if alpha == beta == 0:
            raise InputError(f"the state of the schedule {schedule.name} is a point at time 0; take a later time")
        return alpha, beta

    def _linear(self, alpha: float, beta: float) -> Linear:
        """Coefficients for the standardised state (x - alpha m)/scale, whose noise is beta/scale."""
        low, high = (level / self.scale for level in self.levels)
        options = {"convention": self.convention, "label": self.label, "levels": (low, high)}
        return linear(self.parametrisation, alpha, beta / self.scale, **options)

    def _field(self, at: Linear, alpha: float, constant: float, skip: float, output: float) -> NetworkField:
        return NetworkField(self, at.input, at.label, alpha * self.mean, constant * self.mean, skip, output)


def _probe(denoiser: LearnedDenoiser) -> None:
    """Call the network once: one that does not fit is refused where it is given."""
    low, high = denoiser.levels
    try:
        denoiser.at_level(min(max(_PROBE * denoiser.scale, low), high))(np.zeros((2, denoiser.dimension)))
    except InputError:
        raise
    except FAILURES as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"module must map points (n, {denoiser.dimension}) and labels (n,) to points (n, {denoiser.dimension}); "
            f"called with two of them it fails: {reason}"
        ) from error


def _noise_rate(schedule: Schedule, t: float) -> float:
    """d beta / dt."""
    if schedule.name == "rectified_flow":
        return -1.0
    if schedule.name == "vp_cosine":
        return float(-np.pi / 2 * np.sin(np.pi / 2 * t))
    beta = schedule.beta(t)
    if beta == 0:
        raise InputError(f"the velocity of the schedule {schedule.name} is not finite at time {t:g}")
    return float(schedule.beta_squared_rate(t) / (2 * beta))


def _levels(value) -> tuple[float, float]:
    if value is None:
        return 0.0, float("inf")
    value = validate.real_array(value, "levels").astype(np.float64)
    if value.shape != (2,) or not 0 < value[0] < value[1]:
        raise InputError("levels must be two positive noise levels, the lower one first")
    return float(value[0]), float(value[1])
