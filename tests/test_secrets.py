import logging
import threading
from pathlib import Path

import pytest

from scoreboard.errors import ConfigError
from scoreboard.secrets import load_or_create_secret, load_secret, write_once


def test_a_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    secret = load_or_create_secret(path)
    assert len(secret) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_create_secret(path) == secret
    assert load_secret(path) == secret
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret.key"]


def test_a_file_that_exists_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "admin-password"
    assert write_once(path, "first")
    assert not write_once(path, "second")
    assert path.read_text() == "first\n"


def test_of_several_writers_one_wins_and_all_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    start, read = threading.Barrier(8), list[bytes]()

    def race() -> None:
        start.wait()
        read.append(load_or_create_secret(path))

    racers = [threading.Thread(target=race) for _ in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(read) == 8
    assert len(set(read)) == 1


def test_a_secret_that_others_may_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "secret.key"
    path.write_text("x" * 40)
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert load_secret(path) == b"x" * 40
    assert "chmod 600" in caplog.text


def test_a_missing_file_or_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*secret\.key: No such file"):
        load_secret(tmp_path / "secret.key")
    with pytest.raises(ConfigError, match=r"cannot write .*secret\.key: No such file"):
        load_or_create_secret(tmp_path / "missing" / "secret.key")
