"""Compiled Euler-Maruyama step for isotropic mixtures: scores, control, noise and weight in one pass over the paths."""

from __future__ import annotations

import math

from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def mixture_score(point, centers, rates, logs, terms, out):
    """Score of sum_m exp(logs_m) exp(-rates_m |x - c_m|^2 / 2) at one point; `terms` is scratch of length m."""
    largest = -math.inf
    for m in range(centers.shape[0]):
        squared = 0.0
        for j in range(point.shape[0]):
            squared += (point[j] - centers[m, j]) ** 2
        terms[m] = logs[m] - 0.5 * rates[m] * squared
        largest = max(largest, terms[m])
    total = 0.0
    for j in range(point.shape[0]):
        out[j] = 0.0
    for m in range(centers.shape[0]):
        weight = math.exp(terms[m] - largest)
        total += weight
        for j in range(point.shape[0]):
            out[j] += weight * rates[m] * (centers[m, j] - point[j])
    for j in range(point.shape[0]):
        out[j] /= total


@njit(cache=True, nogil=True, error_model="numpy")
def step(x, noise, given, optimal, base, tilted, coefficients, scratch, log_weight):
    """x <- x + h (kappa x + gain s + sigma u) + sqrt(h) sigma noise, in place; log_weight -= sqrt(h) u.noise + h u^2/2.

    u = sigma (s* - s) where `optimal`, else `given` (n, d), or 0 where that is empty. `base` and `tilted` are centers,
    rates and logs of the two noisy mixtures; `scratch` is (terms (m,), score (d,), tilted score (d,)).
    """
    h, kappa, gain, sigma = coefficients
    centers, rates, logs = base
    tilted_centers, tilted_rates, tilted_logs = tilted
    terms, score, other = scratch
    root = math.sqrt(h)
    for i in range(x.shape[0]):
        point = x[i]
        mixture_score(point, centers, rates, logs, terms, score)
        if optimal:
            mixture_score(point, tilted_centers, tilted_rates, tilted_logs, terms, other)
        linear = 0.0
        energy = 0.0
        for j in range(x.shape[1]):
            u = 0.0
            if optimal:
                u = sigma * (other[j] - score[j])
            elif given.shape[0]:
                u = given[i, j]
            linear += u * noise[i, j]
            energy += u * u
            point[j] += h * (kappa * point[j] + gain * score[j] + sigma * u) + root * sigma * noise[i, j]
        log_weight[i] -= root * linear + 0.5 * h * energy
