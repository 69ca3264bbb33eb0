"""One score from claim to answer, over REST."""

import asyncio
from pathlib import Path

import msgspec

from scoreboard.config import LimitSettings, PipelineSettings, Settings
from scoreboard.model import ActionRule, BoardSettings, Rules, TieColumn
from tests.api.app import NO_LIMITS, Api, backend, running


def with_board(board: BoardSettings, limits: LimitSettings = NO_LIMITS) -> Settings:
    return Settings(limits=limits, boards={"main": board})


def sum_board(action: ActionRule, rules: Rules | None = None) -> BoardSettings:
    return BoardSettings(operator="sum", actions={"coin": action}, rules=rules or Rules())


async def test_a_score_is_answered_with_the_standing_it_makes(api: Api) -> None:
    ada, ada_id = await api.registered("ada")
    bob, _ = await api.registered("bob")
    await bob.score(50)
    first, second = await ada.score(30), await ada.score(40)
    assert first.status == second.status == 200
    assert (first.body["score"], first.body["previous"], first.body["position"]) == (30, None, 2)
    assert (second.body["score"], second.body["previous"], second.body["position"]) == (70, 30, 1)
    assert second.body["version"] > first.body["version"]
    assert second.body["applied"] is True
    row = await api.get(f"boards/main/players/{ada_id}")
    assert (row.body["score"], row.body["position"], row.body["version"]) == (70, 1, second.body["version"])


async def test_a_second_use_of_a_token_is_refused_with_the_first_outcome(api: Api) -> None:
    ada, _ = await api.registered("ada")
    token = await ada.token()
    first = await ada.score(30, token)
    again = await ada.score(99, token)
    assert (again.status, again.code) == (409, "action_token_used")
    assert again.body["result"] == first.body
    assert await api.rows() == [(1, "ada", 30)]


async def test_a_repeat_tells_the_current_position(api: Api) -> None:
    ada, _ = await api.registered("ada")
    bob, _ = await api.registered("bob")
    token = await ada.token()
    first = await ada.score(30, token)
    await bob.score(50)
    result = (await ada.score(30, token)).body["result"]
    assert (first.body["position"], result["position"], result["score"]) == (1, 2, 30)


async def test_a_repeat_after_a_restart_finds_the_first_outcome(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        ada, _ = await api.registered("ada")
        token = await ada.token()
        first = await ada.score(30, token)
    async with running(tmp_path) as api:
        tokens = await api.post("auth/login", {"username": "ada", "password": "correct horse"})
        again = await api.of(f"Bearer {tokens.body['access_token']}").score(30, token)
        assert again.code == "action_token_used"
        assert again.body["result"]["submission_id"] == first.body["submission_id"]
        assert await api.rows() == [(1, "ada", 30)]


async def test_of_many_racing_uses_of_one_token_one_counts(api: Api) -> None:
    ada, _ = await api.registered("ada")
    token = await ada.token()
    answers = await asyncio.gather(*(ada.score(10, token) for _ in range(20)))
    accepted = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 409]
    assert (len(accepted), len(refused)) == (1, 19)
    assert {answer.body["result"]["submission_id"] for answer in refused} == {accepted[0].body["submission_id"]}
    assert await api.rows() == [(1, "ada", 10)]


async def test_scores_of_one_player_at_the_same_time_all_count(api: Api) -> None:
    ada, _ = await api.registered("ada")
    tokens = [await ada.token() for _ in range(30)]
    answers = await asyncio.gather(*(ada.score(1, token) for token in tokens))
    assert sorted(answer.body["score"] for answer in answers) == list(range(1, 31))


async def test_a_token_of_another_player_is_refused(api: Api) -> None:
    ada, _ = await api.registered("ada")
    bob, _ = await api.registered("bob")
    stolen = await bob.score(5, await ada.token())
    assert (stolen.status, stolen.code) == (403, "action_token_invalid")
    assert await api.rows() == []


async def test_a_score_beyond_the_action_is_held_and_shown_nowhere(api: Api) -> None:
    ada, ada_id = await api.registered("ada")
    held = await ada.score(101)
    assert held.status == 202
    assert held.body == {"status": "held", "submission_id": held.body["submission_id"], "board": "main"}
    assert (await api.get("boards/main/top")).body["total"] == 0
    assert (await api.get(f"boards/main/players/{ada_id}")).status == 404
    own = await ada.get(f"boards/main/players/{ada_id}/history")
    others = await api.get(f"boards/main/players/{ada_id}/history")
    assert [item["state"] for item in own.body["submissions"]] == ["held"]
    assert others.body["submissions"] == []


async def test_a_held_score_uses_up_its_token(api: Api) -> None:
    ada, _ = await api.registered("ada")
    token = await ada.token()
    held = await ada.score(101, token)
    again = await ada.score(5, token)
    assert (again.code, again.body["result"]) == ("action_token_used", held.body)


async def test_an_action_that_ended_too_soon_is_held(tmp_path: Path) -> None:
    async with running(tmp_path, with_board(sum_board(ActionRule(min_duration_ms=60_000)))) as api:
        ada, _ = await api.registered("ada")
        assert (await ada.score(1)).status == 202


async def test_actions_in_too_quick_succession_are_held(tmp_path: Path) -> None:
    async with running(tmp_path, with_board(sum_board(ActionRule(min_interval_ms=60_000)))) as api:
        ada, _ = await api.registered("ada")
        bob, _ = await api.registered("bob")
        assert [(await ada.score(1)).status, (await ada.score(1)).status] == [200, 202]
        assert (await bob.score(1)).status == 200


async def test_a_rule_may_reject_and_the_token_is_used_up(tmp_path: Path) -> None:
    board = sum_board(ActionRule(max_score=10), Rules(max_increment="reject"))
    async with running(tmp_path, with_board(board)) as api:
        ada, _ = await api.registered("ada")
        token = await ada.token()
        rejected, again = await ada.score(11, token), await ada.score(1, token)
        assert (rejected.status, rejected.code) == (403, "rule_rejected")
        assert again.code == "action_token_used"
        assert again.body["result"]["code"] == "rule_rejected"
        assert await api.rows() == []


async def test_a_rule_in_shadow_lets_the_score_count(tmp_path: Path) -> None:
    board = sum_board(ActionRule(max_score=10), Rules(max_increment="shadow"))
    async with running(tmp_path, with_board(board)) as api:
        ada, _ = await api.registered("ada")
        assert (await ada.score(11)).status == 200


async def test_a_sum_beyond_the_range_changes_nothing_and_keeps_the_token(tmp_path: Path) -> None:
    async with running(tmp_path, with_board(sum_board(ActionRule()))) as api:
        ada, _ = await api.registered("ada")
        await ada.score(2**53 - 1)
        token = await ada.token()
        beyond = await ada.score(1, token)
        assert (beyond.status, beyond.code) == (409, "score_out_of_range")
        assert await api.rows() == [(1, "ada", 2**53 - 1)]
        assert (await ada.score(-1, token)).status == 200


async def test_a_score_outside_the_boards_range_is_refused(tmp_path: Path) -> None:
    board = msgspec.structs.replace(sum_board(ActionRule()), min_score=0)
    async with running(tmp_path, with_board(board)) as api:
        ada, _ = await api.registered("ada")
        assert (await ada.score(-1)).code == "score_out_of_range"


async def test_more_tie_columns_than_the_board_has_are_refused(api: Api) -> None:
    ada, _ = await api.registered("ada")
    body = {"board": "main", "action_token": await ada.token(), "score": 1, "tiebreakers": [1]}
    assert (await ada.post("scores/update", body)).code == "bad_request"


async def test_score_and_tie_columns_are_kept_as_one_run(tmp_path: Path) -> None:
    board = BoardSettings(tiebreakers=(TieColumn("penalty", "asc"),), actions={"coin": ActionRule()})
    async with running(tmp_path, with_board(board)) as api:
        ada, ada_id = await api.registered("ada")
        for score, penalty in ((10, 5), (10, 3), (9, 0), (10, 4)):
            body = {"board": "main", "action_token": await ada.token(), "score": score, "tiebreakers": [penalty]}
            assert (await ada.post("scores/update", body)).status == 200
        row = (await api.get(f"boards/main/players/{ada_id}")).body
        assert (row["score"], row["tiebreakers"]) == (10, [3])


async def test_a_player_over_the_write_limit_is_told_when_to_come_back(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(NO_LIMITS, player_writes_per_minute=3)
    async with running(tmp_path, with_board(sum_board(ActionRule()), limits)) as api:
        ada, _ = await api.registered("ada")
        statuses = [(await ada.score(1)).status for _ in range(3)]
        token = await ada.token()
        refused = await ada.score(1, token)
        assert (statuses, refused.status, refused.code) == ([200, 200, 200], 429, "rate_limited")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert await api.rows() == [(1, "ada", 3)]


async def test_a_score_that_found_the_queue_full_may_be_sent_again(tmp_path: Path) -> None:
    settings = Settings(limits=NO_LIMITS, pipeline=PipelineSettings(queue_max=1))
    async with running(tmp_path, settings) as api:
        ada, _ = await api.registered("ada")
        tokens = [await ada.token() for _ in range(8)]
        answers = await asyncio.gather(*(ada.score(1, token) for token in tokens))
        refused = [token for token, answer in zip(tokens, answers, strict=True) if answer.status == 503]
        assert {answer.code for answer in answers if answer.status != 200} == {"overloaded"}
        assert [(await ada.score(1, token)).status for token in refused] == [200] * len(refused)
        assert await api.rows() == [(1, "ada", 8)]


async def test_a_signed_out_player_cannot_score(api: Api) -> None:
    ada, _ = await api.registered("ada")
    token = await ada.token()
    await ada.post("auth/logout")
    refused = await ada.score(5, token)
    assert (refused.status, refused.code) == (401, "unauthenticated")
    assert await api.rows() == []


async def test_an_action_of_a_board_without_it_is_not_found(api: Api) -> None:
    ada, _ = await api.registered("ada")
    assert (await ada.post("actions", {"board": "main", "action": "gold"})).status == 404
    assert (await ada.post("actions", {"board": "nope", "action": "coin"})).status == 404


async def test_a_voided_score_is_taken_back(api: Api, key: Api) -> None:
    ada, _ = await api.registered("ada")
    await ada.score(30)
    second = await ada.score(40)
    void = await key.post(f"admin/submissions/{second.body['submission_id']}/void", {"reason": "line call"})
    assert (void.status, void.body["standing"]["score"]) == (200, 30)
    assert await api.rows() == [(1, "ada", 30)]


async def test_voiding_the_only_score_leaves_no_standing(api: Api, key: Api) -> None:
    ada, _ = await api.registered("ada")
    only = await ada.score(30)
    void = await key.post(f"admin/submissions/{only.body['submission_id']}/void", {})
    assert void.body["standing"] is None
    assert (await api.get("boards/main/top")).body["total"] == 0


async def test_a_player_cannot_void(api: Api) -> None:
    ada, _ = await api.registered("ada")
    only = await ada.score(30)
    refused = await ada.post(f"admin/submissions/{only.body['submission_id']}/void", {})
    assert (refused.status, refused.code) == (403, "forbidden")


async def test_standings_survive_a_restart_with_their_order(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        for name in ("ada", "bob", "eve"):
            player, _ = await api.registered(name)
            await player.score(50)
        before = await api.rows()
    async with running(tmp_path) as api:
        assert await api.rows() == before == [(1, "ada", 50), (1, "bob", 50), (1, "eve", 50)]
        assert (await backend(api, tmp_path).get("admin/keys")).status == 200
