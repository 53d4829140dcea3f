"""A saboteur changes what it is meant to, or says loudly that it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_HOOK = Path(__file__).parents[2] / "fixtures" / "saboteurs" / "hook"

_SABOTEUR = """
TARGET = "shop.till"

def sabotage(module):
    original = module.Till.charge
    def charge(self, amount):
        return original(self, amount) * 2
    module.Till.charge = charge
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with a module to sabotage, and a folder with a saboteur."""
    package = tmp_path / "project" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "till.py").write_text("class Till:\n    def charge(self, amount):\n        return amount\n")
    (tmp_path / "saboteurs").mkdir()
    (tmp_path / "saboteurs" / "charges_twice.py").write_text(_SABOTEUR)
    return tmp_path


def _run(shop: Path, code: str, *, saboteur: str | None, further: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SABOTEUR", "COV_"))}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_HOOK), str(shop / "project"), further]))
    if saboteur is not None:
        environment |= {"SABOTEUR": saboteur, "SABOTEUR_PATH": str(shop / "saboteurs")}
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
    """The target behaves wrongly, and one line on stderr is the proof that the defect was there."""
    ran = _run(shop, _CHARGE, saboteur=name)
    assert ran.stdout == "20\n"
    assert ran.stderr == f"saboteur planted: {name} in shop.till\n"


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
    assert ran.stderr.startswith("saboteur not planted: charges_thrice: unknown; ")
    assert ran.stderr.endswith("has charges_twice\n")


def test_saboteur_name_is_no_path(shop: Path) -> None:
    """A name cannot lead out of the folder."""
    (shop / "outside.py").write_text(_SABOTEUR)
    assert _run(shop, _CHARGE, saboteur="../outside").returncode == 2


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


@pytest.mark.parametrize("source", ["TARGET = 'shop.till'", "def sabotage(module): pass", "1 / 0", "def"])
def test_broken_saboteur_ends_the_process(shop: Path, source: str) -> None:
    """A file that is no saboteur is named, with what is wrong with it."""
    (shop / "saboteurs" / "broken.py").write_text(source)
    ran = _run(shop, _CHARGE, saboteur="broken")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("saboteur not planted: broken: ")


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
