"""Radial kernels: log-profile, radial weight, compiled tile and Gaussian scale mixture, one kernel a file."""

from __future__ import annotations

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.kernels.base import AbstractKernel, ScaleMixture, SharpKernel
from unifiedscore.kernels.gaussian import Gaussian
from unifiedscore.kernels.kernel_sum import KernelSum
from unifiedscore.kernels.laplace import Laplace
from unifiedscore.kernels.matern import Matern
from unifiedscore.kernels.rational_quadratic import RationalQuadratic
from unifiedscore.kernels.spectrum import annealed_attenuation, mode_rate, normalised_transform
from unifiedscore.kernels.student_t import StudentT
from unifiedscore.validate import positive, shown

__all__ = [
    "AbstractKernel",
    "Gaussian",
    "KernelSum",
    "Laplace",
    "Matern",
    "RationalQuadratic",
    "ScaleMixture",
    "SharpKernel",
    "StudentT",
    "annealed_attenuation",
    "kernel_by_name",
    "mode_rate",
    "normalised_transform",
]

_SHAPE = {Matern: "smoothness", RationalQuadratic: "exponent", StudentT: "degrees"}
_BY_NAME = {kernel.name: kernel for kernel in (Gaussian, Laplace, Matern, RationalQuadratic, StudentT)}


def kernel_by_name(name: str, bandwidth: float, *, dimension: int | None = None) -> AbstractKernel:
    """Return the kernel written as on the command line.

    Use when the kernel comes as text, from a command line, a grid of a study or a settings file.

    Parameters
    ----------
    name : str
        "gaussian", "laplace", "matern:1.5" (smoothness), "rational_quadratic:0.5" (exponent) or
        "student_t:3" (degrees).
    bandwidth : float
        Length scale in the units of the data.
    dimension : int, optional
        Dimension of the data, needed by "student_t" alone.

    Raises
    ------
    UnknownNameError
        The name is not a kernel.
    InputError
        The shape parameter is missing, superfluous or not a number.

    Examples
    --------
    >>> import unifiedscore as us
    >>> us.kernel_by_name("matern:1.5", 2.0)
    Matern(bandwidth=2.0, smoothness=1.5)
    """
    family, _, shape = name.partition(":") if isinstance(name, str) else (name, "", "")
    if not isinstance(family, str) or family not in _BY_NAME:
        raise UnknownNameError("kernel name", family, _BY_NAME)
    kernel = _BY_NAME[family]
    parameter = _SHAPE.get(kernel)
    if parameter is None:
        if shape:
            raise InputError(f"name: kernel {family!r} takes no shape parameter; got {shown(name)}")
        return kernel(bandwidth)
    try:
        value = float(shape)
    except ValueError:
        advice = f"kernel {family!r} needs its {parameter} as in '{family}:1.5'"
        raise InputError(f"name: {advice}; got {shown(name)}") from None
    positive(value, f"name: the {parameter} of {family!r}")
    if kernel is StudentT:
        if dimension is None:
            raise InputError("name: kernel 'student_t' needs the dimension of the data; pass dimension=d")
        return StudentT(bandwidth, value, dimension)
    return kernel(bandwidth, value)
