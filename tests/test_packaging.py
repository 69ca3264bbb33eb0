import configparser
import importlib
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import scoreboard

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "scoreboard"
SHIPPED = ("py.typed", "*.yaml", "**/*.sql", "**/*.lua", "web/**/*")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The names in a wheel built from a copy of the project."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(PACKAGE, folder / "scoreboard", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=folder, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return frozenset(archive.namelist())


def requirements() -> dict[str, Requirement]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].split() + setup["options.extras_require"]["dev"].split()
    return {requirement.name: requirement for requirement in map(Requirement, lines)}


def test_the_package_says_what_it_offers() -> None:
    assert sorted(scoreboard.__all__) == ["Settings", "__version__", "create_app", "load_settings"]
    for name in scoreboard.__all__:
        assert getattr(scoreboard, name) is not None
    homes = {"Settings": "scoreboard.config", "load_settings": "scoreboard.config", "create_app": "scoreboard.app"}
    for name, module in homes.items():
        assert getattr(scoreboard, name) is getattr(importlib.import_module(module), name)
    with pytest.raises(AttributeError, match="nothing"):
        _ = scoreboard.nothing


def test_the_installed_version_is_the_one_in_the_code() -> None:
    assert metadata.version("scoreboard") == scoreboard.__version__


def test_the_files_at_the_root_are_the_ones_the_package_ships() -> None:
    links = [path for path in ROOT.iterdir() if path.is_symlink()]
    assert ROOT / "config.yaml" in links
    for link in links:
        assert link.resolve() == PACKAGE / link.name
        assert not link.readlink().is_absolute()


def test_the_wheel_carries_every_module_and_data_file(wheel: frozenset[str]) -> None:
    modules = set(PACKAGE.rglob("*.py"))
    data = {path for pattern in SHIPPED for path in PACKAGE.glob(pattern) if path.is_file()}
    expected = {path.relative_to(ROOT).as_posix() for path in modules | data if "__pycache__" not in path.parts}
    assert {"scoreboard/config.yaml", "scoreboard/py.typed"} < expected
    assert any(name.endswith(".sql") for name in expected)
    assert expected <= wheel


def test_the_wheel_carries_nothing_else(wheel: frozenset[str]) -> None:
    assert {name.split("/")[0] for name in wheel if ".dist-info/" not in name} == {"scoreboard"}


def test_every_requirement_has_a_floor_that_is_met_here() -> None:
    for name, requirement in requirements().items():
        assert any(bound.operator == ">=" for bound in requirement.specifier), name
        assert metadata.version(name) in requirement.specifier


@pytest.mark.parametrize("version", ["3.13.3", "3.14.0", "3.14.2"])
def test_aiohttp_with_known_request_smuggling_is_not_accepted(version: str) -> None:
    assert version not in requirements()["aiohttp"].specifier
    assert "3.14.3" in requirements()["aiohttp"].specifier
