import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")

SKIPS = """
import pytest

def test_one():
    pytest.skip("no server here")

@pytest.mark.skip(reason="not today")
def test_two():
    pass

@pytest.mark.xfail
def test_three():
    assert False
"""


DIVIDED = ("--numprocesses", "2")


def run(folder: Path, ci: str, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "test_it.py").write_text(test)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        *options,
        str(folder),
    ]
    environment = {"CI": ci, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(CONFTEST.parents[1])}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", [(), DIVIDED])
def test_a_skip_is_told_loudly_on_a_laptop(tmp_path: Path, options: tuple[str, ...]) -> None:
    result = run(tmp_path, "", SKIPS, *options)
    assert result.returncode == 0
    assert "2 SKIPPED: this run says nothing about them" in result.stdout


@pytest.mark.parametrize("options", [(), DIVIDED])
@pytest.mark.parametrize(
    ("test", "outcome"),
    [
        (SKIPS, "1 failed, 1 xfailed, 1 error"),
        ("import pytest\npytest.skip('none', allow_module_level=True)\n", "1 error"),
    ],
)
def test_a_skip_fails_in_ci(tmp_path: Path, test: str, outcome: str, options: tuple[str, ...]) -> None:
    result = run(tmp_path, "true", test, *options)
    assert result.returncode != 0
    assert outcome in result.stdout
    assert "nothing may be skipped where CI is true" in result.stdout
