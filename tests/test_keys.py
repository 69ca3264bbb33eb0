import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scoreboard.clock import ManualClock
from scoreboard.errors import ConfigError, Unauthenticated
from scoreboard.keys import CACHED_FOR, Keys
from scoreboard.model import SCOPES
from scoreboard.storage.sqlite import SqliteStorage
from tests.trail import audit_on, told


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    opened = await SqliteStorage.open(tmp_path / "scoreboard.db")
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def keys(storage: SqliteStorage, clock: ManualClock) -> Keys:
    return Keys(storage, clock, audit_on(storage, clock))


async def test_a_new_key_verifies_with_its_scopes(keys: Keys) -> None:
    key, text = await keys.create("game", ["write", "exchange", "write"])
    assert text.startswith(f"sk_{key.id}.")
    assert len(text) > 56
    assert await keys.verify(text) == key
    assert (key.name, key.scopes) == ("game", ("write", "exchange"))


async def test_only_the_digest_of_a_key_is_stored(keys: Keys, storage: SqliteStorage, tmp_path: Path) -> None:
    key, text = await keys.create("game", ["write"])
    assert key.digest == hashlib.sha256(text.encode()).digest()
    await storage.close()
    secret = text.partition(".")[2].encode()
    assert not any(secret in file.read_bytes() for file in tmp_path.iterdir())


async def test_text_that_is_no_key_is_refused(keys: Keys) -> None:
    _, text = await keys.create("game", ["write"])
    for wrong in ("", "sk_", text[:-1], text + "x", text.upper(), f" {text}", "sk_é", "sk_\ud800", "sk_" + "x" * 500):
        with pytest.raises(Unauthenticated):
            await keys.verify(wrong)


async def test_a_verified_key_is_known_for_a_while(keys: Keys, clock: ManualClock) -> None:
    key, text = await keys.create("game", ["write"])
    assert keys.known(text) is None
    assert keys.known(None) is None
    await keys.verify(text)
    assert keys.known(text) == key
    clock.advance(CACHED_FOR)
    assert keys.known(text) is None
    assert await keys.verify(text) == key


async def test_a_revoked_key_ends_at_once_here_and_soon_elsewhere(
    keys: Keys, storage: SqliteStorage, clock: ManualClock
) -> None:
    elsewhere = Keys(storage, clock, audit_on(storage, clock))
    key, text = await keys.create("game", ["write"])
    await keys.verify(text)
    await elsewhere.verify(text)
    assert await keys.revoke(key.id, "p_admin")
    with pytest.raises(Unauthenticated):
        await keys.verify(text)
    clock.advance(CACHED_FOR)
    with pytest.raises(Unauthenticated):
        await elsewhere.verify(text)
    assert [entry.act for entry in await told(storage)] == ["key.create", "key.revoke"]


async def test_a_look_up_that_a_revocation_overtakes_is_not_remembered(keys: Keys) -> None:
    key, text = await keys.create("game", ["write"])
    await asyncio.gather(keys.verify(text), keys.revoke(key.id), return_exceptions=True)
    assert keys.known(text) is None
    with pytest.raises(Unauthenticated):
        await keys.verify(text)


async def test_revoking_what_is_not_there_says_so(keys: Keys) -> None:
    assert not await keys.revoke("nothing")


async def test_the_oldest_remembered_key_makes_room(storage: SqliteStorage, clock: ManualClock) -> None:
    keys = Keys(storage, clock, audit_on(storage, clock), max_cached=2)
    texts = [(await keys.create("game", ["write"]))[1] for _ in range(3)]
    for text in texts:
        await keys.verify(text)
    assert [keys.known(text) is not None for text in texts] == [False, True, True]


async def test_all_lists_revoked_keys_too(keys: Keys) -> None:
    one, _ = await keys.create("one", ["write"])
    other, _ = await keys.create("other", ["import"])
    await keys.revoke(one.id)
    listed = await keys.all()
    assert [(key.id, key.revoked_at is None) for key in listed] == [(one.id, False), (other.id, True)]


async def test_the_local_key_is_made_once_and_holds_all_scopes(keys: Keys, tmp_path: Path) -> None:
    path = tmp_path / "admin.key"
    text = await keys.ensure_local(path)
    assert await keys.ensure_local(path) == text == path.read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (await keys.verify(text)).scopes == SCOPES
    assert len(await keys.all()) == 1


async def test_a_new_database_is_told_of_the_local_key(keys: Keys, clock: ManualClock, tmp_path: Path) -> None:
    text = await keys.ensure_local(tmp_path / "admin.key")
    fresh = await SqliteStorage.open(tmp_path / "fresh.db")
    again = Keys(fresh, clock, audit_on(fresh, clock))
    assert await again.ensure_local(tmp_path / "admin.key") == text
    assert await again.verify(text)
    await fresh.close()


async def test_a_revoked_local_key_stays_revoked(keys: Keys, tmp_path: Path) -> None:
    text = await keys.ensure_local(tmp_path / "admin.key")
    await keys.revoke((await keys.verify(text)).id)
    assert await keys.ensure_local(tmp_path / "admin.key") == text
    with pytest.raises(Unauthenticated):
        await keys.verify(text)


async def test_a_file_that_holds_no_key_is_one_clear_line(keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "admin.key").write_text("hello\n")
    with pytest.raises(ConfigError, match="does not hold an API key"):
        await keys.ensure_local(tmp_path / "admin.key")
