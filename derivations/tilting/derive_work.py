"""Work identities: kernels that telescope, a dragged trap, exact escorts, Girsanov weights, the tilted residual."""

import numpy as np
import sympy as sp
from _schedule import ALPHA, M0, NU, L, T, X, draw, evaluate, gamma, in_every_schedule, zero

import unifiedscore as us
from unifiedscore.references import GaussianTilt
from unifiedscore.samplers import AnnealingPath, EscortedLangevin, GaussianPath
from unifiedscore.study.derivation import Derivation

EPS = np.finfo(float).eps
H, E, K = sp.symbols("h epsilon k", positive=True)
STATES = sp.symbols("x0:4", real=True)
CENTRES = sp.symbols("m0:4", real=True)


def trap_gap(sign=1):
    """W of three steps minus h eps k^2/4 (y_K^2 - y_0^2) - k/2 sum (m_{i+1} - m_i)(y_i + y_{i+1})."""
    potential = lambda x, m: K * (x - m) ** 2 / 2
    work = potential(STATES[3], CENTRES[3]) - potential(STATES[0], CENTRES[0])
    for i in range(3):
        x, after = STATES[i], STATES[i + 1]
        forward = x - H * E * K * (x - CENTRES[i])
        backward = after - H * E * K * (after - CENTRES[i + 1])
        work += ((x - backward) ** 2 - (after - forward) ** 2) / (4 * E * H)
    y = [x - m for x, m in zip(STATES, CENTRES, strict=True)]
    moving = sum((CENTRES[i + 1] - CENTRES[i]) * (y[i] + y[i + 1]) for i in range(3))
    return sp.expand(work - sign * H * E * K**2 / 4 * (y[3] ** 2 - y[0] ** 2) + K / 2 * moving)


def kernel_gap(start=True):
    """log of pi_0 F F F exp(-W) minus log of pi_1 B B B, unnormalised, for undefined drifts: it telescopes to 0."""
    forward, backward = sp.symbols("F0:3", real=True), sp.symbols("B0:3", real=True)
    first, last = sp.Function("U0")(STATES[0]), sp.Function("U1")(STATES[3])
    log_f = lambda i: -((STATES[i + 1] - STATES[i] - H * forward[i]) ** 2) / (4 * E * H)
    log_b = lambda i: -((STATES[i] - STATES[i + 1] + H * backward[i]) ** 2) / (4 * E * H)
    ratios = sum(log_f(i) - log_b(i) for i in range(3))
    work = last - (first if start else 0) + ratios
    left = -first + sum(log_f(i) for i in range(3)) - work
    return sp.expand(left + last - sum(log_b(i) for i in range(3)))


def continuity_gaps(stretch=1):
    """div(e pi) = -pi' for N(m_t, s_t^2) and e = m' + stretch (s'/s)(x - m), and its rate of work is (log Z)'."""
    m, s = sp.Function("m", real=True)(T), sp.Function("s", positive=True)(T)
    potential = (X - m) ** 2 / (2 * s**2)
    density = sp.exp(-potential) / s
    escort = sp.diff(m, T) + stretch * sp.diff(s, T) / s * (X - m)
    continuity = (sp.diff(density, T) + sp.diff(escort * density, X)) / density
    rate = sp.diff(potential, T) + escort * sp.diff(potential, X) - sp.diff(escort, X)
    return sp.Matrix([zero(continuity), zero(rate + sp.diff(s, T) / s)])


def jarzynski_gap(divergence=True):
    r"""pi~_t' = L^+ pi~ - (U_t + e.U_x - div e) pi~ for any e, eps: what makes E exp(-W) f an average under pi_1."""
    potential, escort = sp.Function("U")(X, T), sp.Function("e")(X, T)
    density = sp.exp(-potential)
    drift = escort - E * sp.diff(potential, X)
    adjoint = -sp.diff(drift * density, X) + E * sp.diff(density, X, 2)
    rate = sp.diff(potential, T) + escort * sp.diff(potential, X) - (sp.diff(escort, X) if divergence else 0)
    return zero((sp.diff(density, T) - adjoint + rate * density) / density)


def tilted_gap(velocity=1):
    """The same for p_t exp(r_t): A' = r_t' + v.r_x + c.(s + r_x) + div c, using only p_t' = -div(v p_t)."""
    log_p, reward, c, v = (sp.Function(name)(X, T) for name in ("phi", "r", "c", "v"))
    s, slope = sp.diff(log_p, X), sp.diff(reward, X)
    density = sp.exp(log_p + reward)
    drift = v + c + E * (s + slope)
    adjoint = -sp.diff(drift * density, X) + E * sp.diff(density, X, 2)
    rate = sp.diff(reward, T) + velocity * v * slope + c * (s + slope) + sp.diff(c, X)
    gap = (sp.diff(density, T) - adjoint - rate * density) / density
    return zero(gap.expand().subs(sp.diff(log_p, T), -sp.diff(v, X) - v * s))


def correction_gap(scale=1):
    """Linear r_t = g_t l.x over Gaussian p_t: the exact correction is (g' Gamma + g Gamma'/2) l, constant in x."""
    g, variance = sp.Function("g")(T), gamma(NU**2)
    velocity = sp.diff(ALPHA * M0, T) + sp.diff(variance, T) / (2 * variance) * (X - ALPHA * M0)
    correction = scale * (sp.diff(g, T) * variance + g * sp.diff(variance, T) / 2) * L
    log_z = g * L * ALPHA * M0 + g**2 * L**2 * variance / 2
    score = -(X - ALPHA * M0) / variance
    residual = sp.diff(g, T) * L * X + velocity * g * L + correction * (score + g * L) - sp.diff(log_z, T)
    return zero(residual)


def girsanov_gaps(share=1):
    """Log-weight of the discrete-propagator control for r = l x, affine drift, fixed start: no noise is left."""
    slopes, shifts = sp.symbols("A0:3", real=True), sp.symbols("B0:3", real=True)
    sigmas, noises = sp.symbols("sigma0:3", positive=True), sp.symbols("xi0:3", real=True)
    x, weight = STATES[0], sp.Integer(0)
    for i in range(3):
        tail = sp.prod([1 + H * slopes[j] for j in range(i + 1, 3)])
        u = share * sigmas[i] * tail * L
        weight -= sp.sqrt(H) * u * noises[i] + H * u**2 / 2
        x = x + H * (slopes[i] * x + shifts[i] + sigmas[i] * u) + sp.sqrt(H) * sigmas[i] * noises[i]
    total = sp.expand(L * x + weight)
    return sp.Matrix([sp.expand(sp.diff(total, xi)) for xi in noises])


def agrees_trap(rng):
    """The sampler's W on its own paths."""
    k, epsilon, speed = 0.5 + rng.random(), 0.2 + rng.random(), rng.normal()
    path = AnnealingPath(
        potential=lambda x, t: 0.5 * k * (x[:, 0] - speed * t) ** 2,
        gradient=lambda x, t: k * (x - speed * t),
        time_derivative=lambda x, t: -k * speed * (x[:, 0] - speed * t),
        sample_start=lambda n, r: r.standard_normal((n, 1)) / np.sqrt(k),
    )
    run = EscortedLangevin(path, n_steps=3, diffusivity=epsilon).run_forward(5, rng, keep=True)
    centres = speed * np.arange(4) / 3
    y = run.trajectory[:, :, 0] - centres[:, None]
    expected = epsilon * k**2 / 12 * (y[3] ** 2 - y[0] ** 2)
    expected -= k / 2 * np.sum(np.diff(centres)[:, None] * (y[:-1] + y[1:]), axis=0)
    return float(np.abs(run.work - expected).max() / (EPS * (1 + np.abs(y).max() ** 2 * (k + 1 / epsilon))))


def agrees_kernels(rng):
    """One functional: forward and backward runs report the work of their own paths."""
    path = GaussianPath(rng.normal(size=(2, 1)), (1.0, 0.5 + rng.random())).path()
    sampler = EscortedLangevin(path, n_steps=4, diffusivity=0.7, escort=lambda x, t: np.sin(x + t))
    worst = 0.0
    for run in (sampler.run_forward(5, rng, keep=True), sampler.run_backward(5, rng, keep=True)):
        scale = 1 + np.abs(run.trajectory).max() ** 2 * 8
        worst = max(worst, float(np.abs(sampler.work_of(run.trajectory) - run.work).max() / scale))
    return worst / EPS


def agrees_escort(rng):
    path = GaussianPath(rng.normal(size=(2, 1)), (0.5 + rng.random(), 0.5 + rng.random()))
    x, t = rng.normal(size=(5, 1)), float(rng.random())
    _, s, _, rate = path.moments(t)
    annealed, push = path.path(), path.escort(x, t)
    got = annealed.time_derivative(x, t) + (push * annealed.gradient(x, t)).sum(1) - path.escort_divergence(x, t)
    scale = 1 + np.abs(push).max() * np.abs(annealed.gradient(x, t)).max()
    return float(np.abs(got + rate / s).max() / (EPS * scale))


@in_every_schedule
def agrees_residual(rng, schedule):
    """Foellmer has no density at time 0 and is refused; rectified flow stands in for it."""
    from unifiedscore.samplers import nets_residual

    process, t, _ = draw(rng, us.Schedule("rectified_flow") if schedule.name == "foellmer" else schedule)
    tilt, x = GaussianTilt(process), rng.normal(size=(5, 1))
    parts = {"correction": tilt.correction, "divergence": tilt.divergence}
    residual = nets_residual(process, x, t, log_normalizer_rate=tilt.log_normalizer_rate(t), **parts)
    scale = 1 + np.abs(tilt.correction(x, t)).max() * np.abs(process.base_score(x, t)).max() + np.abs(x).max() ** 2
    return float(np.abs(residual).max() / (EPS * scale * 10 / (t * (1 - t))))


@in_every_schedule
def agrees_correction(rng, schedule):
    process, t, values = draw(rng, schedule)
    process = us.TiltedProcess(process.base, us.QuadraticReward(process.reward.linear), schedule)
    formula = (gamma(NU**2) + T * sp.diff(gamma(NU**2), T) / 2) * L
    expected = evaluate(formula, schedule, t, values)
    got = GaussianTilt(process).correction(rng.normal(size=(3, 1)), t)
    return float(np.abs(got - expected).max() / (EPS * (abs(expected) + 10)))


def agrees_girsanov(rng):
    """Foellmer over N(0, 1): u = l, log-weight l^2/2."""
    slope = rng.normal()
    process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([slope]), "foellmer")
    weight = us.simulate(process, 20, rng, times=np.linspace(0, 1, 8)).log_weight
    return float(np.abs(weight - slope**2 / 2).max() / (EPS * (1 + slope**2) * 10))


derivations = [
    Derivation(
        claim="tilting.moving_trap",
        residual=trap_gap,
        control=lambda: trap_gap(sign=-1),
        agrees=agrees_trap,
        mutation="sign of the boundary term",
        statement="In a dragged harmonic trap the kernel work is h eps k^2/4 (y_K^2 - y_0^2) "
        "- k/2 sum (m_{i+1} - m_i)(y_i + y_{i+1}), path by path.",
        source="derived here",
    ),
    Derivation(
        claim="tilting.crooks_exact",
        residual=kernel_gap,
        control=lambda: kernel_gap(start=False),
        agrees=agrees_kernels,
        mutation="U_0(x_0) dropped from the work",
        statement="pi_0 F ... F exp(-W) = (Z_1/Z_0) pi_1 B ... B as path measures, for every step size and all drifts.",
        source="related work: Vargas et al. 2023, arXiv 2307.01050",
    ),
    Derivation(
        claim="tilting.escorted_jarzynski",
        residual=lambda: sp.Matrix([jarzynski_gap(), *continuity_gaps()]),
        control=lambda: jarzynski_gap(divergence=False),
        agrees=agrees_escort,
        mutation="div e omitted from the work",
        statement="The escorted Jarzynski identity holds for every escort and diffusivity; for a moving Gaussian "
        "e = m' + (s'/s)(x - m) makes the work deterministic.",
        source="related work: Albergo, Vanden-Eijnden 2024, arXiv 2410.02711",
    ),
    Derivation(
        claim="tilting.tilted_jarzynski",
        residual=tilted_gap,
        control=lambda: tilted_gap(velocity=2),
        agrees=agrees_residual,
        mutation="2 v in place of v (the memoryless drift b = 2v - kappa x has this slope)",
        statement="E exp(A_1) f(X_1) = E_{p_1} exp(r) f for every correction and diffusivity, from velocity, score and "
        "reward alone.",
        source="existence stated by arXiv 2605.00229; formulas derived here",
    ),
    Derivation(
        claim="tilting.nets_residual_zero",
        residual=correction_gap,
        control=lambda: correction_gap(scale=2),
        agrees=agrees_correction,
        mutation="twice the correction",
        statement="For a linear reward over a Gaussian process the NETS residual vanishes for "
        "c = (g' Gamma + g Gamma'/2) l, constant in x.",
        source="stated for NETS (arXiv 2410.02711); tilted form derived here",
    ),
    Derivation(
        claim="tilting.zero_variance_control",
        residual=girsanov_gaps,
        control=lambda: girsanov_gaps(share=sp.Rational(9, 10)),
        agrees=agrees_girsanov,
        mutation="nine tenths of the control",
        statement="For a linear reward, an affine drift and a fixed start the Girsanov log-weight of the control "
        "sigma_k Pi_k l, Pi_k the discrete propagator, holds no noise at any step size.",
        source="derived here",
    ),
]
