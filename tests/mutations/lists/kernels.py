"""Mistakes in kernels: profiles, inverse weights, mixtures, sharp kernels, compiled tiles and spectra."""

from tests.mutations.mutation import Mutation

LAWS = "kernels/test_kernels.py::test_laws"
SPECTRUM = "kernels/test_spectrum.py::test_closed_forms"
POPULATION = "studies/drift/study_population.py"
SHARP = ("studies/drift/study_sharp.py", "derivations/drift/derive_sharp_kernel.py")
RADIAL = "studies/drift/study_radial_decomposition.py"

MUTATIONS = (
    Mutation(
        "kernels/gaussian.py",
        'np.full_like(array(r, "r") * 1.0, self.bandwidth**2)',
        'np.full_like(array(r, "r") * 1.0, self.bandwidth)',
        "the inverse weight is the standard deviation, not the variance",
        studies=("studies/drift/study_gaussian_identity.py",),
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/gaussian.py",
        "rate = 1.0 / parameters[0] ** 2",
        "rate = 2.0 / parameters[0] ** 2",
        "the tile takes the bandwidth for sqrt(2) standard deviations",
        studies=("studies/drift/study_pruned_sums.py",),
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/laplace.py",
        "np.exp(-v) - np.log(2 * np.sqrt(np.pi))",
        "np.exp(-v) - np.log(np.sqrt(np.pi))",
        "the scale mixture is twice too large",
        studies=(POPULATION,),
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/laplace.py",
        "    scale = -rate * rate\n",
        "    scale = -rate\n",
        "the tile's weight b lacks a factor of the bandwidth",
        studies=("studies/drift/study_laplace_mechanism.py", RADIAL),
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/laplace.py",
        "SharpKernel(Matern(self.bandwidth, 1.5), 2.0 * float",
        "SharpKernel(Matern(self.bandwidth, 1.5), float",
        "the sharp kernel's height is the bandwidth, not its square",
        studies=SHARP,
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/matern.py",
        "scale = float(np.log(2.0 * self.smoothness) + ",
        "scale = float(np.log(self.smoothness) + ",
        "the sharp kernel's constant lacks a factor 2",
        studies=SHARP,
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/matern.py",
        "growth = np.log1p(np.exp(2.0 * log_z - inverse) / (2.0 * order))",
        "growth = np.log1p(np.exp(2.0 * log_z - inverse) / order)",
        "the recursion in the order divides by nu instead of 2 nu",
        studies=(POPULATION, *SHARP),
        tests=("kernels/test_kernels.py::test_matern_against_forty_digits",),
    ),
    Mutation(
        "kernels/matern.py",
        "normalizer = self.smoothness, gammaln(self.smoothness) + self.smoothness * np.log(4.0)",
        "normalizer = self.smoothness, gammaln(self.smoothness) + self.smoothness * np.log(2.0)",
        "the scale mixture has 2^nu for 4^nu",
        studies=(POPULATION,),
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/matern_tiles.py",
        "fresh = ((2 * k - 1) * now",
        "fresh = ((2 * k + 1) * now",
        "the recursion of the Bessel polynomials is off by one",
        studies=("derivations/drift/derive_sharp_kernel.py", RADIAL),
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/rational_quadratic.py",
        "normalizer = exponent * np.log(rate) - gammaln(exponent)",
        "normalizer = exponent * np.log(rate)",
        "the scale mixture lacks log Gamma(beta)",
        studies=(POPULATION,),
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/rational_quadratic.py",
        "np.log(2.0 * (exponent - 1.0)))",
        "np.log(exponent - 1.0))",
        "the sharp kernel is twice too high",
        studies=SHARP,
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/rational_quadratic.py",
        "weight[i, j] = 2.0 * exponent * rate / (1.0",
        "weight[i, j] = exponent * rate / (1.0",
        "the tile's weight b is halved",
        studies=("derivations/drift/derive_radial_decomposition.py",),
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/student_t.py",
        "return rational_mixture(self.exponent, self.degrees)",
        "return rational_mixture(self.exponent, 1.0)",
        "the scale mixture forgets the degrees of freedom",
        studies=(POPULATION,),
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/student_t.py",
        "/ (self.degrees + self.dimension)",
        "/ self.degrees",
        "the inverse weight forgets the dimension",
        studies=(RADIAL, "derivations/drift/derive_radial_decomposition.py"),
        tests=(LAWS,),
    ),
    Mutation(
        "kernels/spectrum.py",
        "lambda u: 2.0 * u * np.exp(-u)",
        "lambda u: u * np.exp(-u)",
        "the rate of a mode is halved",
        studies=("derivations/drift/derive_modes.py", "studies/drift/study_modes.py"),
        tests=(SPECTRUM,),
    ),
    Mutation(
        "kernels/spectrum.py",
        "return v, log_density(v) - 0.5 * dimension * v + np.log(v[1] - v[0])",
        "return v, log_density(v) + np.log(v[1] - v[0])",
        "the transform forgets that a narrow Gaussian has a small integral",
        studies=("derivations/drift/derive_modes.py", "studies/drift/study_modes.py"),
        tests=(SPECTRUM,),
    ),
    Mutation(
        "kernels/spectrum.py",
        "return (last - first) / rate",
        "return (last - first) * rate",
        "the attenuation is multiplied by the rate of annealing",
        studies=("derivations/drift/derive_modes.py", "studies/drift/study_modes.py"),
        tests=("kernels/test_spectrum.py::test_annealing_is_the_integral_of_the_rates",),
    ),
)
