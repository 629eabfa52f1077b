"""What is declared for installation hangs together."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_constraints_pin_every_dependency_at_a_version_that_is_allowed():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    pinned = {}
    for line in lines:
        requirement = Requirement(line)
        (exact,) = requirement.specifier
        assert exact.operator == "==" and requirement.url is None and not requirement.extras, line
        pinned[canonicalize_name(requirement.name)] = exact.version
    assert len(pinned) == len(lines)
    needed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
    for requirement in map(Requirement, needed):
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} allows no {version}"


def test_what_the_tests_need_of_the_clusters_is_what_users_are_told_to_install():
    extras = {name: set(map(str, map(Requirement, items))) for name, items in PROJECT["optional-dependencies"].items()}
    assert extras["distributed"] <= extras["test"]
    assert {Requirement(item).name for item in extras["mpi"]} <= {Requirement(item).name for item in extras["test"]}
