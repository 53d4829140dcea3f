"""A saboteur changes what it is meant to, or says loudly that it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_HOOK = Path(__file__).parents[2] / "fixtures" / "saboteurs" / "hook"

_TILL = """
class Till:
    def charge(self, amount):
        return amount

def price():
    return 10
"""

_CATALOGUE = """
from types import SimpleNamespace

def sabotage(module, acts):
    original = module.Till.charge
    def charge(self, amount):
        return acts.acted(original(self, amount) * 2)
    module.Till.charge = charge
    module.price = lambda: acts.acted(0)

SABOTEURS = {"charges_twice": SimpleNamespace(plants={"shop.till": sabotage})}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with a module to sabotage, and a folder with a saboteur."""
    package = tmp_path / "project" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "till.py").write_text(_TILL)
    (package / "window.py").write_text("from shop.till import price")
    (tmp_path / "saboteurs").mkdir()
    (tmp_path / "saboteurs" / "__init__.py").touch()
    (tmp_path / "saboteurs" / "catalogue.py").write_text(_CATALOGUE)
    (tmp_path / "acts").mkdir()
    return tmp_path


def _run(
    shop: Path, code: str, *, saboteur: str | None, further: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SABOTEUR", "COV_"))}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_HOOK), str(shop / "project"), further]))
    environment |= {"SABOTEUR_PATH": str(shop / "saboteurs"), **variables}
    if saboteur is not None:
        environment["SABOTEUR"] = saboteur
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=shop,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


_CHARGE = "from shop.till import Till; print(Till().charge(10))"


@pytest.mark.parametrize("name", ["charges_twice", "charges-twice"])
def test_saboteur_is_planted_and_says_so(shop: Path, name: str) -> None:
    """The target behaves wrongly, and lines on stderr are the proof that the defect was there, and at work."""
    ran = _run(shop, _CHARGE, saboteur=name)
    assert ran.stdout == "20\n"
    assert ran.stderr == f"saboteur planted: {name} in shop.till\nsaboteur acted: {name}\n"


def test_hook_without_saboteur_changes_nothing(shop: Path) -> None:
    """The folder on the path alone plants nothing and says nothing."""
    ran = _run(shop, f"{_CHARGE}; import sys; print('saboteur_planting' in sys.modules)", saboteur=None)
    assert (ran.stdout, ran.stderr) == ("10\nFalse\n", "")


def test_process_that_never_imports_the_target_is_left_alone(shop: Path) -> None:
    """Other services of the stack run with the same environment."""
    ran = _run(shop, "import shop; print('fine')", saboteur="charges_twice")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "fine\n", "")


def test_unknown_saboteur_ends_the_process(shop: Path) -> None:
    """A misspelt name never runs a healthy system in the guise of a sabotaged one."""
    ran = _run(shop, _CHARGE, saboteur="charges_thrice")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "saboteur not planted: charges_thrice: unknown; there are charges_twice\n"


def test_missing_target_module_ends_the_process(shop: Path) -> None:
    """A module that was renamed would never be imported, and nothing would be planted in silence."""
    (shop / "project" / "shop" / "till.py").rename(shop / "project" / "shop" / "register.py")
    ran = _run(shop, "print('never')", saboteur="charges_twice")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "saboteur not planted: charges_twice: there is no module shop.till: has it been renamed?\n"


def test_missing_target_attribute_fails_the_import(shop: Path) -> None:
    """A method that was renamed makes the import fail, even when it is tried again."""
    till = shop / "project" / "shop" / "till.py"
    till.write_text(till.read_text().replace("charge", "collect"))
    again = "try:\n    import shop.till\nexcept ImportError as error:\n    print(error)\nimport shop.till"
    ran = _run(shop, again, saboteur="charges_twice")
    assert ran.returncode == 1
    assert ran.stdout.startswith("saboteur charges_twice could not be planted in shop.till: AttributeError")
    assert ran.stderr.startswith("saboteur not planted: charges_twice in shop.till: AttributeError: ")
    assert "planted: charges_twice in shop.till\n" not in ran.stderr


@pytest.mark.parametrize("source", ["SABOTEURS", "1 / 0", "def"])
def test_broken_catalogue_ends_the_process(shop: Path, source: str) -> None:
    """A folder that cannot be loaded is named, with what is wrong with it."""
    (shop / "saboteurs" / "catalogue.py").write_text(source)
    ran = _run(shop, _CHARGE, saboteur="charges_twice")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"saboteur not planted: charges_twice: {shop / 'saboteurs'} cannot be loaded: ")


def test_hidden_sitecustomize_still_runs(shop: Path) -> None:
    """What the machine loads at start is loaded all the same, and found under its name."""
    (shop / "machine").mkdir()
    (shop / "machine" / "sitecustomize.py").write_text("import builtins; builtins.machine = 'set up'; mark = 1")
    for saboteur in (None, "charges_twice"):
        ran = _run(
            shop,
            "import sitecustomize; print(machine, sitecustomize.mark)",
            saboteur=saboteur,
            further=str(shop / "machine"),
        )
        assert (ran.stdout, ran.stderr) == ("set up 1\n", "")


def test_loader_keeps_its_type_and_source(shop: Path) -> None:
    """What looks at modules, such as a debugger or a resource reader, sees the target's own loader."""
    code = (
        "import shop.till, inspect; print(type(shop.till.__loader__).__name__, len(inspect.getsource(shop.till)) > 0)"
    )
    assert _run(shop, code, saboteur="charges_twice").stdout == "SourceFileLoader True\n"


def test_defect_reaches_forked_children(shop: Path) -> None:
    """Workers that are forked after the import are sabotaged, too, and the line is written once."""
    code = (
        "import os, shop.till\n"
        "if os.fork() == 0:\n    print(shop.till.Till().charge(10), flush=True); os._exit(0)\n"
        "os.wait()"
    )
    ran = _run(shop, code, saboteur="charges_twice")
    assert (ran.stdout, ran.stderr.count("planted")) == ("20\n", 1)


_FORKS = """
import os, pathlib, shop.window
from shop.till import Till
file = pathlib.Path(os.environ["SABOTEUR_FILE"])
for name in ("", "charges_twice", ""):
    file.write_text(name)
    if os.fork() == 0:
        print(Till().charge(10), shop.window.price(), flush=True)
        os._exit(0)
    os.wait()
"""


def test_file_says_what_forks_are_planted_with(shop: Path) -> None:
    """What has been imported before is broken in the fork, under each name that it is known by, and only there."""
    ran = _run(shop, _FORKS, saboteur=None, SABOTEUR_FILE=str(shop / "switch"))
    assert ran.stdout == "10 10\n20 0\n10 10\n", ran.stderr


def test_fork_is_rid_of_what_its_parent_has(shop: Path) -> None:
    """A process that began with a defect forks others without it, as soon as the file names none."""
    (shop / "switch").write_text("charges_twice")
    code = _FORKS.replace('("", "charges_twice", "")', '("charges_twice", "")')
    ran = _run(shop, code, saboteur=None, SABOTEUR_FILE=str(shop / "switch"))
    assert ran.stdout == "20 0\n10 10\n", ran.stderr


def test_fork_that_cannot_be_planted_ends(shop: Path) -> None:
    """A name that is unknown by then ends the fork, before it does anything."""
    code = _FORKS.replace('("", "charges_twice", "")', '("charges_thrice",)')
    ran = _run(shop, code, saboteur=None, SABOTEUR_FILE=str(shop / "switch"))
    assert ran.stdout == ""
    assert "saboteur not planted: charges_thrice: unknown" in ran.stderr


def test_work_is_noted_once_a_process(shop: Path) -> None:
    """The folder for it has one line for the planting, and one for each process in which the defect was at work."""
    code = (
        "import os\nfrom shop.till import Till\n"
        "for _ in range(3): Till().charge(1)\n"
        "if os.fork() == 0:\n    Till().charge(1); os._exit(0)\n"
        "os.wait()"
    )
    ran = _run(shop, code, saboteur="charges_twice", SABOTEUR_ACTS=str(shop / "acts"))
    told = [json.loads(line) for line in (shop / "acts" / "acts.jsonl").read_text().splitlines()]
    assert [(each["saboteur"], each["what"]) for each in told] == [
        ("charges_twice", "planted"),
        ("charges_twice", "acted"),
        ("charges_twice", "acted"),
    ], ran.stderr
    assert len({each["pid"] for each in told}) == 2


def test_first_run_is_told_from_later_ones(shop: Path) -> None:
    """The first run that is seen stays the first for every process."""
    code = (
        "import os, sys\nfrom saboteur_acts import ActsOf\n"
        "acts = ActsOf('any')\n"
        "print(acts.first_run() or 'none', *[acts.is_first_run(run) for run in ('one', 'two', 'one')], acts.first_run())"
    )
    assert _run(shop, code, saboteur=None, SABOTEUR_ACTS=str(shop / "acts")).stdout == "none True False True one\n"
