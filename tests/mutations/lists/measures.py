"""Mistakes in measures: densities, tilts, moments, draws, quadrature, whitening and data sets."""

from tests.mutations.mutation import Mutation

LAWS = "studies/drift/study_laws.py"
MIXTURE = "measures/test_gaussian_mixture.py::test_"
REDUCED = "measures/test_reduced.py::test_"
LIBRARY = "measures/test_library.py::test_"
TARGETS = ("studies/tilting/study_targets.py", "derivations/tilting/derive_targets.py")
WORK = ("studies/tilting/study_step_size.py", "derivations/tilting/derive_work.py")
POPULATION = "studies/drift/study_population.py"

MUTATIONS = (
    Mutation(
        "measures/isotropic.py",
        "constants = safe_log(weights) - 0.5 * dimension * np.log(",
        "constants = safe_log(weights) - 0.5 * np.log(",
        "the shares of components compare variances as in one dimension",
        studies=(LAWS,),
        tests=(MIXTURE + "log_density_is_that_of_scipy",),
    ),
    Mutation(
        "measures/isotropic.py",
        "rates = np.exp(terms - log_sum_exp(terms)[:, None]) / variances",
        "rates = np.exp(terms - log_sum_exp(terms)[:, None]) / variances.mean()",
        "the score divides by the mean variance of the components",
        studies=(LAWS,),
        tests=(MIXTURE + "score_is_the_gradient_of_the_log_density",),
    ),
    Mutation(
        "measures/tilt.py",
        "(linear @ linear) - quadratic * np.einsum(",
        "(linear @ linear) + quadratic * np.einsum(",
        "a component far out gains from a quadratic penalty instead of losing",
        studies=WORK,
        tests=(MIXTURE + "tilting_multiplies_the_density",),
    ),
    Mutation(
        "measures/tilt.py",
        "growth - 0.5 * dimension * np.log1p(",
        "growth - 0.5 * np.log1p(",
        "the normaliser of an isotropic tilt has the determinant of one dimension",
        studies=(LAWS,),
        tests=(MIXTURE + "tilting_multiplies_the_density",),
    ),
    Mutation(
        "measures/tilt.py",
        "+ 0.5 * np.sum(g**2 / mu) - 0.5 * np.sum(np.log(mu))",
        "+ np.sum(g**2 / mu) - 0.5 * np.sum(np.log(mu))",
        "completing the square lacks its factor 1/2",
        studies=(LAWS,),
        tests=(MIXTURE + "tilting_multiplies_the_density", MIXTURE + "tilt_normalizer_is_the_expected_exponential"),
    ),
    Mutation(
        "measures/gaussian_mixture.py",
        "self._moment(self.centers - self.weights @ self.centers, ",
        "self._moment(self.centers - self.centers.mean(0), ",
        "the covariance is about the unweighted mean of the centres",
        studies=(LAWS,),
        tests=(MIXTURE + "moments_are_integrals_of_the_density",),
    ),
    Mutation(
        "measures/gaussian_mixture.py",
        "lambda spectrum: spectrum * factor**2)",
        "lambda spectrum: spectrum * abs(factor))",
        "scaling multiplies variances by the factor instead of its square",
        studies=(LAWS,),
        tests=(MIXTURE + "scaling_changes_variables",),
    ),
    Mutation(
        "measures/gaussian_mixture.py",
        "x *= np.sqrt(self.variances[label])[:, None]",
        "x *= self.variances[label][:, None]",
        "draws have the variance for the standard deviation",
        studies=(LAWS,),
        tests=(MIXTURE + "sampling_has_the_moments_of_the_law",),
    ),
    Mutation(
        "measures/gaussian_mixture.py",
        "(x[rows] * np.sqrt(self.eigenvalues[m])) @ self.eigenvectors[m].T",
        "(x[rows] * np.sqrt(self.eigenvalues[m])) @ self.eigenvectors[m]",
        "draws are turned by the transposed eigenvectors",
        studies=(LAWS,),
        tests=(MIXTURE + "sampling_has_the_moments_of_the_law",),
    ),
    Mutation(
        "measures/reduced.py",
        "total += float(first[k, k] * second[k, k]) / self.rest_dimension",
        "total += float(first[k, k] * second[k, k])",
        "the outer axes are counted as one",
        studies=("studies/drift/study_concentration.py", "studies/drift/study_matched_gaussian.py"),
        tests=(REDUCED + "squared_inner_product_is_the_trace_of_second_moments",),
    ),
    Mutation(
        "measures/reduced.py",
        "np.sqrt(2 * self.variances[m] * nodes[:, k])",
        "np.sqrt(self.variances[m] * nodes[:, k])",
        "the radius outside the span is short by sqrt(2)",
        studies=(LAWS,),
        tests=(REDUCED + "quadrature_has_the_moments_of_the_law",),
    ),
    Mutation(
        "measures/samples.py",
        "centred = points - self.mean\n        return centred.T @ (weights[:, None] * centred)",
        "centred = points - self.mean\n        return centred.T @ centred / len(centred)",
        "the covariance ignores the weights",
        studies=(LAWS,),
        tests=("measures/test_samples.py::test_weighted_moments_equal_those_of_the_repeated_points",),
    ),
    Mutation(
        "measures/samples.py",
        "self.points[rng.choice(self.size, size=n, p=self.weights)]",
        "self.points[rng.choice(self.size, size=n)]",
        "draws ignore the weights",
        studies=("studies/closed_form/study_sampler.py",),
        tests=("measures/test_samples.py::test_draws_follow_the_weights_and_keep_the_dtype",),
    ),
    Mutation(
        "measures/whitening.py",
        "scales, directions = np.sqrt(np.maximum(values[kept], floor)), vectors",
        "scales, directions = np.maximum(values[kept], floor), vectors",
        "whitening divides by variances instead of standard deviations",
        studies=(LAWS,),
        tests=("samplers/test_moment_matched.py::test_whitening_gives_unit_spectrum_and_comes_back",),
    ),
    Mutation(
        "measures/whitening.py",
        "((x * self.scales) @ self.directions.T + self.mean)",
        "((x * self.scales) @ self.directions.T)",
        "the way back from whitened coordinates forgets the mean",
        studies=(LAWS,),
        tests=("samplers/test_moment_matched.py::test_whitening_gives_unit_spectrum_and_comes_back",),
    ),
    Mutation(
        "measures/shapes.py",
        "root = vectors * np.sqrt(np.maximum(values, 0.0))",
        "root = vectors * np.maximum(values, 0.0)",
        "the Gaussian counterpart has the square of the covariance",
        studies=(LAWS,),
        tests=(LIBRARY + "gaussian_counterpart_has_the_first_two_moments",),
    ),
    Mutation(
        "measures/distances.py",
        "return 2 * (size * ",
        "return (size * ",
        "distances of neighbours are halved",
        studies=(LAWS,),
        tests=("metrics/test_coverage.py",),
    ),
    Mutation(
        "measures/rules.py",
        "sign = (-1) ** (level - total) * comb(axes - 1, level - total)",
        "sign = comb(axes - 1, level - total)",
        "Smolyak's combination forgets its signs",
        studies=(LAWS,),
        tests=(REDUCED + "sparse_rule_is_exact_up_to_its_total_degree",),
    ),
    Mutation(
        "measures/entropic.py",
        "log_v = 0.5 * (log_u + log_v) if same else log_b - columns",
        "log_v = 0.5 * (log_u + log_v) if same else -columns",
        "the scaling forgets the masses of the second law",
        studies=("studies/drift/study_sinkhorn.py", "studies/drift/study_metrics.py"),
        tests=(
            "fields/drifts/test_sinkhorn.py",
            "metrics/test_transport.py::test_the_sinkhorn_divergence_agrees_with_pot",
        ),
    ),
)
