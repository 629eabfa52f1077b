"""Mistakes in what a denoiser is compared with: rivals, fits, weights, samplers, gradient variances, full adjoints."""

from tests.mutations.mutation import Mutation

DENOISERS = "learned/test_denoisers.py::test_"
DESCRIBE = "learned/test_describe.py::test_"
GRADIENTS = "learned/test_gradients.py::test_"
ADJOINT = "learned/test_adjoint.py::test_"
DERIVED = "derivations/learned/derive_denoisers.py"
MINIMISERS = "studies/learned/study_minimisers.py"
SAMPLING = "studies/learned/study_sampling.py"

MUTATIONS = (
    Mutation(
        "learned/precondition.py",
        "slope = ((1 - self.time) - self.time * self.scale**2)",
        "slope = ((1 - self.time) + self.time * self.scale**2)",
        "the velocity has the wrong sign of its data part",
        studies=(MINIMISERS, DERIVED, "studies/learned/study_solenoidal.py"),
        tests=(DENOISERS + "golden_preconditioning_and_finite_ends",),
    ),
    Mutation(
        "learned/rivals.py",
        "return (self.bandwidth / np.hypot(self.level, self.bandwidth)) ** 2",
        "return self.bandwidth / np.hypot(self.level, self.bandwidth)",
        "the share of x is tau instead of tau^2",
        studies=(DERIVED, "studies/learned/study_two_points.py"),
        tests=(DENOISERS + "a_smoothed_density_is_denoised_as_the_mixture_it_is",),
    ),
    Mutation(
        "learned/rivals.py",
        "(values / (values + level**2))",
        "(values / (values + level))",
        "the Gaussian denoiser has h for h^2",
        studies=(MINIMISERS, DERIVED, "studies/learned/study_far_field.py"),
        tests=(DENOISERS + "the_gaussian_denoiser_is_the_regression_on_the_noisy_point",),
    ),
    Mutation(
        "learned/gradients.py",
        "noise = 4 * (eta * factor) ** 2 * gamma * variance",
        "noise = 2 * (eta * factor) ** 2 * gamma * variance",
        "the gradient variance lacks a factor 2",
        studies=("studies/learned/study_gradients.py", "derivations/learned/derive_gradients.py"),
        tests=(GRADIENTS + "golden_table",),
    ),
    Mutation(
        "learned/gradients.py",
        "w.ravel() / (1 - 2 * cutoff)",
        "w.ravel()",
        "the mean over time is an integral",
        studies=("studies/learned/study_gradients.py", "derivations/learned/derive_gradients.py"),
        tests=(GRADIENTS + "weights_of_the_rule_integrate_powers_of_both_ends",),
    ),
    Mutation(
        "learned/gradients.py",
        "w = half[:, None] * weights * t * (1 - t)",
        "w = half[:, None] * weights * t",
        "the log odds lack half of their Jacobian",
        studies=("studies/learned/study_gradients.py", "derivations/learned/derive_gradients.py"),
        tests=(GRADIENTS + "weights_of_the_rule_integrate_powers_of_both_ends",),
    ),
    Mutation(
        "learned/adjoint.py",
        'np.einsum("nij,ni->nj", jacobian, after)',
        'np.einsum("nij,nj->ni", jacobian, after)',
        "the Jacobian of the controlled drift is not transposed",
        tests=(ADJOINT + "the_full_adjoint_is_the_derivative_of_the_cost_in_the_first_state",),
    ),
    Mutation(
        "learned/adjoint.py",
        "forcing = h * u",
        "forcing = -h * u",
        "the running cost enters with the wrong sign",
        studies=("studies/learned/study_adjoint.py", "derivations/learned/derive_gradients.py"),
        tests=(ADJOINT + "the_full_adjoint_is_the_derivative_of_the_cost_in_the_first_state",),
    ),
    Mutation(
        "learned/loss_weights.py",
        'if loss == "flow_matching":\n        return 1 / h',
        'if loss == "flow_matching":\n        return h**-2',
        "the weight of flow matching is that of the KL",
        studies=(MINIMISERS, DERIVED),
        tests=(DENOISERS + "loss_weights_are_those_of_losses_summed_over_time",),
    ),
    Mutation(
        "learned/sample.py",
        "ahead = x + (after - h) * (first + slope(ahead, after)) / 2",
        "ahead = x + (after - h) * (first + slope(ahead, h)) / 2",
        "Heun takes its second slope at the first noise level",
        studies=(SAMPLING,),
        tests=(DENOISERS + "golden_deviations_of_a_sampled_gaussian",),
    ),
    Mutation(
        "learned/sample.py",
        "np.hypot(levels[0], scale) / scale)",
        "np.hypot(levels[0], 1.0) / scale)",
        "the start of the stated gain has the spread of the unit Gaussian",
        studies=(SAMPLING, DERIVED),
        tests=(DENOISERS + "golden_deviations_of_a_sampled_gaussian",),
    ),
    Mutation(
        "learned/hybrid.py",
        "weight = _mean(second - data, gap) / square",
        "weight = _mean(first - data, gap) / square",
        "the blend is measured from the other end",
        studies=("studies/learned/study_hybrid.py", DERIVED),
        tests=(DESCRIBE + "golden_blend_and_its_gains",),
    ),
    Mutation(
        "learned/copies.py",
        "return _threshold(threshold) ** validate.positive(dimension",
        "return _threshold(threshold) * validate.positive(dimension",
        "chance copies are proportional to the dimension",
        studies=("studies/learned/study_copies.py", "derivations/learned/derive_gradients.py"),
        tests=(DESCRIBE + "copies_by_hand_and_by_chance",),
    ),
    Mutation(
        "learned/filters.py",
        "np.exp(-0.5 * np.exp(2 * log_sigma) * k**2)",
        "np.exp(-np.exp(2 * log_sigma) * k**2)",
        "the smoothing of a filter is off by sqrt 2",
        tests=(DESCRIBE + "golden_filters_of_a_square_wave",),
    ),
    Mutation(
        "learned/split.py",
        'return ErrorSplit(_square(values - others["truth"]) / unit, _square(values - others["empirical"]) / unit)',
        'return ErrorSplit(_square(values - others["empirical"]) / unit, _square(values - others["truth"]) / unit)',
        "truth and memory are exchanged",
        tests=(DESCRIBE + "split_of_the_truth_of_the_memory_and_of_the_middle",),
    ),
    Mutation(
        "learned/describe.py",
        "return Fit(1 + best if",
        "return Fit(best if",
        "the factor of a wider kernel counts from 0",
        studies=("studies/learned/study_descriptions.py",),
        tests=(DESCRIBE + "every_description_finds_itself_and_names_it",),
    ),
)
