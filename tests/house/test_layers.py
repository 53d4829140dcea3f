"""Imports run downwards only, and ``make check`` proves it."""

from __future__ import annotations

import configparser

import grimp
import pytest

from bootstrap.__main__ import CHECKS
from tests.house.sources import ROOT

_FILE = ROOT / ".importlinter"


@pytest.fixture(scope="module")
def contracts() -> configparser.ConfigParser:
    """The contracts that the linter of imports holds the project to."""
    parser = configparser.ConfigParser()
    parser.read(_FILE, encoding="utf-8")
    return parser


def _listed(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def _layers_of(contracts: configparser.ConfigParser, container: str) -> configparser.SectionProxy:
    for name in contracts.sections():
        if contracts[name].get("type") == "layers" and _listed(contracts[name].get("containers", "")) == [container]:
            return contracts[name]
    pytest.fail(f"{_FILE.name}: add a contract of type layers whose container is {container}")


def test_check_runs_the_linter_of_imports() -> None:
    """A contract that nothing runs proves nothing."""
    assert ("lint-imports",) in CHECKS


@pytest.mark.parametrize("container", ["harness.runtime", "harness.drill"])
def test_package_has_layers_of_its_own(contracts: configparser.ConfigParser, container: str) -> None:
    """Inside the runtime and inside a drill, too, imports run downwards only."""
    assert len(_listed(_layers_of(contracts, container)["layers"])) > 3


def test_runtimes_are_independent_siblings(contracts: configparser.ConfigParser) -> None:
    """The local runtime and that of containers stand side by side, and import nothing of one another."""
    layers = _listed(_layers_of(contracts, "harness.runtime")["layers"])
    assert {"docker | local", "local | docker"} & set(layers), (
        f"{_FILE.name}: a layer of harness.runtime should be `docker | local`"
    )


def test_only_the_docker_runtime_needs_dockers_sdk(contracts: configparser.ConfigParser) -> None:
    """The local runtime, and every module beside the two runtimes, is forbidden to import the engine's SDK."""
    forbidden = [contracts[name] for name in contracts.sections() if contracts[name].get("type") == "forbidden"]
    held = {
        source
        for contract in forbidden
        if {"docker", "testcontainers"} <= set(_listed(contract["forbidden_modules"]))
        for source in _listed(contract["source_modules"])
    }
    above = {"docker", "effects"}  # they use containers, each in its own way
    here = {path.stem for path in (ROOT / "harness" / "runtime").iterdir() if path.name[0] not in "_."} - above
    missing = {f"harness.runtime.{name}" for name in here} - held
    assert not missing, f"{_FILE.name}: forbid the engine's SDK to {sorted(missing)} as well"


def test_exceptions_are_needed(contracts: configparser.ConfigParser) -> None:
    """An import that a contract lets pass is still there; one that is gone is taken off its list."""
    graph = grimp.build_graph("harness", include_external_packages=True, cache_dir=None)
    gone = [
        line
        for name in contracts.sections()
        for line in _listed(contracts[name].get("ignore_imports", ""))
        for importer, imported in [line.split(" -> ")]
        if not graph.direct_import_exists(importer=importer, imported=imported)
    ]
    assert not gone, f"{_FILE.name}: take off ignore_imports: {gone}"
