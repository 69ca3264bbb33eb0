from pathlib import Path

import pytest
from aiohttp import web

from scoreboard import create_app
from scoreboard.config import DataSettings, Settings
from scoreboard.errors import ConfigError
from scoreboard.lock import sole_user
from tests.api.app import running


def test_a_folder_has_one_user_at_a_time(tmp_path: Path) -> None:
    with sole_user(tmp_path), pytest.raises(ConfigError, match="in use by another server"), sole_user(tmp_path):
        pass
    with sole_user(tmp_path):
        pass


async def test_a_second_server_on_the_same_data_does_not_start(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        second = web.AppRunner(create_app(Settings(data=DataSettings(dir=str(tmp_path)))))
        with pytest.raises(ConfigError, match="in use by another server"):
            await second.setup()
        assert (await api.get("boards")).status == 200
