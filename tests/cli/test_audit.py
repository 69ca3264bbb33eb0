"""The command that looks whether the audit trail is whole."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner

from scoreboard.cli import main
from tests.api.app import backend, running


async def verify(folder: Path, *options: str) -> tuple[int, str]:
    """Exit status and output of the command as a process of its own: this one runs a server."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scoreboard", "audit", "verify", "--data", str(folder), *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, _ = await process.communicate()
    return process.returncode or 0, stdout.decode()


async def test_a_whole_trail_is_told_so_beside_a_server_and_a_broken_one_with_status_1(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        await api.registered("ada")
        entries = (await backend(api, tmp_path).get("admin/audit?act=register")).body["entries"]
        status, said = await verify(tmp_path)
        assert (status, said.endswith("chains ok\n")) == (0, True)
    with closing(sqlite3.connect(tmp_path / "scoreboard.db")) as connection, connection:
        connection.execute("UPDATE audit SET subject = 'eve' WHERE act = 'register'")
    status, said = await verify(tmp_path)
    assert (status, said) == (1, f"{entries[0]['chain']} {entries[0]['number']} was edited\n")


def test_a_pin_that_is_none_and_a_database_that_is_none_are_told_in_one_line(tmp_path: Path) -> None:
    arguments = ["audit", "verify", "--data", str(tmp_path)]
    bad = CliRunner().invoke(main, [*arguments, "--pin", "nonsense"])
    assert (bad.exit_code, "CHAIN:NUMBER:HASH" in bad.stderr) == (2, True)
    absent = CliRunner().invoke(main, arguments)
    assert (absent.exit_code, absent.stderr.count("\n")) == (1, 1)
    nowhere = CliRunner().invoke(main, ["audit", "verify", "--data", str(tmp_path / "nowhere")])
    assert nowhere.stderr == f"Error: {tmp_path}/nowhere/scoreboard.db: there is no such database\n"
