"""Posterior weights of closed-form diffusion written out, as the second route of the studies beside it."""

import numpy as np


def weights(points, z, time, prior=None):
    """Softmax of -|z - t x_i|^2/2(1-t)^2 by direct distances, (..., N) for queries (..., d)."""
    logits = -((z[..., None, :] - time * points) ** 2).sum(-1) / (2 * (1 - time) ** 2)
    logits = logits if prior is None else logits + np.log(prior)
    w = np.exp(logits - logits.max(-1, keepdims=True))
    return w / w.sum(-1, keepdims=True)


def barycenter(points, z, time, prior=None):
    """Posterior means at queries z (..., d)."""
    return weights(points, z, time, prior) @ points


def smoothed(points, z, noise, smoothing, time, prior=None):
    """Mean of the barycenters at z + sigma e_m; noise is (M, d) or (n, M, d)."""
    return barycenter(points, z[:, None] + smoothing * noise, time, prior).mean(1)


def covariance(points, z, time, prior=None):
    """Posterior covariances (..., d, d), centred before they are squared."""
    w = weights(points, z, time, prior)
    gaps = points - (w @ points)[..., None, :]
    return np.einsum("...i,...ij,...ik->...jk", w, gaps, gaps)


def diameter(points):
    """Largest distance between two points."""
    return float(np.sqrt(((points[:, None] - points) ** 2).sum(-1).max()))
