"""Claims as tests: the fixture `claim_verdict` and `pytest --studies PATH`.

It is loaded by every pytest run of everybody who has the package installed, and therefore imports nothing else of it
until a test or an option asks.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

_JUDGE = pytest.StashKey()
_FILES = pytest.StashKey[frozenset[Path]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("unifiedscore", "unifiedscore: claims as tests")
    group.addoption(
        "--studies",
        action="append",
        default=[],
        metavar="PATH",
        help="Test every claim of the study and derivation files below PATH (alone, unless test paths are given too).",
    )
    group.addoption(
        "--studies-profile",
        type=_profile,
        metavar="PROFILE",
        help="What is measured and judged: quick (default), standard or full.",
    )
    group.addoption("--studies-seed", type=int, default=0, metavar="N", help="Root seed of all random streams.")
    group.addoption(
        "--studies-out",
        metavar="FOLDER",
        help="Results folder, from which a later run resumes (default: a temporary one, beside what results/ records).",
    )
    group.addoption(
        "--studies-until-decided",
        action="store_true",
        help="Add seeds until every Monte Carlo claim is decided, as verify --until-decided does.",
    )
    group.addoption(
        "--studies-most-seeds", type=int, default=1024, metavar="N", help="At which no more seeds are added."
    )
    for what, default in (("cell", None), ("derivation", "120")):
        name, text = f"studies_{what}_timeout", f"Seconds after which a {what} is ended (default: {default or 'none'})."
        group.addoption(f"--{name.replace('_', '-')}", type=float, metavar="SECONDS", help=text)
        parser.addini(name, text, default=default)


def pytest_configure(config: pytest.Config) -> None:
    """Turn --studies into files to collect."""
    paths = config.getoption("--studies")
    if not paths:
        return
    from unifiedscore.errors import UnifiedScoreError
    from unifiedscore.verify.claims import claim_files

    try:
        files = claim_files([str(config.invocation_params.dir / path) for path in paths])
    except UnifiedScoreError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[_FILES] = frozenset(files)
    given = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    known = {(config.invocation_params.dir / str(arg).split("::")[0]).resolve() for arg in given}
    config.args = [*given, *(str(file) for file in files if file not in known)]


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Say which numbers were not measured in this session."""
    if _JUDGE not in config.stash:
        return
    judge = config.stash[_JUDGE][0]
    for study, cells in judge.borrowed.items():
        terminalreporter.write_line(f"unifiedscore: {study}: {cells} cells as recorded in {judge.measured}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End worker processes and remove a temporary results folder."""
    if _JUDGE in config.stash:
        config.stash[_JUDGE][1].close()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector):
    """A study file is a collection of claims, not a test module, even where it is named on the command line."""
    collectors = yield
    if file_path in parent.config.stash.get(_FILES, ()):
        return [StudyFile.from_parent(parent, path=file_path)]
    return collectors


class StudyFile(pytest.File):
    """A study or derivation file under --studies."""

    def collect(self):
        """One item for each claim."""
        from unifiedscore.errors import UnifiedScoreError
        from unifiedscore.verify.claims import claims_in

        try:
            claims = claims_in(self.path)
        except UnifiedScoreError as error:
            raise self.CollectError(str(error)) from None
        names = [f"{claim}[{regime}]" if regime else claim for (claim, regime, _), _ in claims]
        for name, (key, profile) in zip(names, claims, strict=True):
            unique = name if names.count(name) == 1 else f"{name}[{key[2]}]"
            yield ClaimItem.from_parent(self, name=unique, key=key, profile=profile)


class ClaimItem(pytest.Item):
    """One claim: it passes if its verdict is as expected and its control was refuted."""

    def __init__(self, *, key, profile, **options):
        super().__init__(**options)
        self.key, self.profile = key, profile

    def runtest(self) -> None:
        """Judge the claim; the study runs with the first of its claims."""
        from unifiedscore.profiles import covers

        profile = _chosen_profile(self.config)
        if not covers(profile, self.profile):
            pytest.skip(f"judged by --studies-profile {self.profile}")
        verdict = _judge(self.config).by_key(self.path, self.key, profile=profile)
        if verdict is None:
            pytest.skip(f"waits for a larger profile than {profile}")
        self.user_properties += [("outcome", verdict.outcome), ("expected", verdict.expected)]
        self.user_properties += [("reason", verdict.reason)]
        _require_expected(verdict)

    def repr_failure(self, excinfo, style=None):
        """Errors of the package are messages; a traceback would only hide them."""
        from unifiedscore.errors import UnifiedScoreError

        if isinstance(excinfo.value, UnifiedScoreError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        """File and headline for the report."""
        return self.path, None, f"claim {self.name}"


@pytest.fixture
def claim_verdict(request):
    """Verdict on a claim: `claim_verdict("studies/study_mine.py", "mine.concentration")`.

    `claim_verdict(path, claim, *, regime=None, profile=None, check=True, until_decided=None)` runs the study (once a
    session) and returns the `Verdict`, with `outcome`, `estimate`, `interval`, `reason`, ... The test fails with the
    verdict's own words if the outcome is not the one the claim expects or its control was not refuted, unless
    `check=False`; it is skipped if the profile (default: --studies-profile) does not judge the claim. `path` is
    relative to the folder of the test file, or else to pytest's root folder. What `results/` in the root folder records
    is not measured again. With `until_decided` (default: --studies-until-decided) seeds are added until the claim is
    decided.
    """
    from unifiedscore.errors import UnifiedScoreError

    config = request.config

    def verdict(path, claim, *, regime=None, profile=None, check=True, until_decided=None):
        profile, problem, found = profile or _chosen_profile(config), "", None
        try:
            found = _judge(config).verdict(
                _beside(request, path), claim, regime=regime, profile=profile, until_decided=until_decided
            )
        except UnifiedScoreError as error:
            problem = str(error)
        if problem:  # outside of the except clause, or pytest would print the chain of errors
            pytest.fail(problem, pytrace=False)
        if found is None:
            pytest.skip(f"{claim} waits for a larger profile than {profile}")
        if check:
            _require_expected(found)
        return found

    return verdict


def _beside(request, path) -> Path:
    """A path that a test names: below its own folder, or else below the root folder of pytest."""
    places = [Path(folder, path) for folder in (request.path.parent, request.config.rootpath)]
    return next((place for place in places if place.exists()), places[-1])


def _seconds(config: pytest.Config, name: str) -> float | None:
    given = config.getoption(name)
    text = config.getini(name) if given is None else given
    if text in (None, ""):
        return None
    from unifiedscore.errors import UnifiedScoreError
    from unifiedscore.validate import positive

    try:
        return positive(float(text), name)
    except (UnifiedScoreError, ValueError) as error:
        raise pytest.UsageError(f"{name} must be a number of seconds: {error}") from None


def _require_expected(verdict) -> None:
    from unifiedscore.verify.claims import explain

    if text := explain(verdict):
        pytest.fail(text, pytrace=False)


def _profile(text: str) -> str:
    """The value of --studies-profile."""
    from unifiedscore.profiles import PROFILES

    if text not in PROFILES:
        raise argparse.ArgumentTypeError(f"invalid choice: {text!r} (choose from {', '.join(PROFILES)})")
    return text


def _chosen_profile(config: pytest.Config) -> str:
    from unifiedscore.profiles import PROFILES

    return config.getoption("--studies-profile") or PROFILES[0]


def _judge(config: pytest.Config):
    """The one judge of this session."""
    if _JUDGE not in config.stash:
        from unifiedscore.study.pool import LocalPool
        from unifiedscore.verify.claims import ClaimJudge

        stack = ExitStack()
        out = config.getoption("--studies-out")
        if out is None:
            out = stack.enter_context(tempfile.TemporaryDirectory(prefix="unifiedscore-"))
        # pytest-xdist has filled the machine with processes already.
        pool = stack.enter_context(LocalPool(1 if "PYTEST_XDIST_WORKER" in os.environ else None))
        options = {"cell_timeout": _seconds(config, "studies_cell_timeout")}
        options["derivation_timeout"] = _seconds(config, "studies_derivation_timeout") or 120.0
        options["until_decided"] = config.getoption("--studies-until-decided")
        options["most_seeds"] = config.getoption("--studies-most-seeds")
        folder = Path(config.invocation_params.dir, out)
        seed, measured = config.getoption("--studies-seed"), config.rootpath / "results"
        judge = ClaimJudge(folder, seed=seed, executor=pool, measured=measured, **options)
        config.stash[_JUDGE] = judge, stack
    return config.stash[_JUDGE][0]
