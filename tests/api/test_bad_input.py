"""Hostile and careless requests: a documented 4xx, nothing changed, nothing in the log."""

import gzip

import pytest

from tests.api.target import BATCH, UPDATE, Target, assert_refused, update

NOT_SCORES = [
    *("9007199254740992", "-9007199254740992", "9223372036854775808", "1" + "0" * 400),
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e2", "1.0", "1.5", "0x10", "01", "+1"),
    *('"5"', '"NaN"', "true", "false", "null", "[5]", '{"a":5}', ""),
]

NOT_UPDATES = {
    "empty": b"",
    "white space": b"  \n ",
    "not JSON": b"score=5",
    "an array": b"[]",
    "a string": b'"score"',
    "a number": b"5",
    "null": b"null",
    "cut short": update()[:-1],
    "followed by more": update() + b"{}",
    "a key twice": update(more=',"score":6'),
    "a key twice, once escaped": update(more=',"\\u0073core":6'),
    "a key twice inside metadata": update(more=',"metadata":{"a":1,"a":2}'),
    "an unknown field": update(more=',"admin":true'),
    "another operator": update(more=',"operator":"latest"'),
    "no score": b'{"board":"main","action_token":"t"}',
    "no board": b'{"action_token":"t","score":5}',
    "no token": b'{"board":"main","score":5}',
    "empty token": update(token=""),
    "endless token": update(token="t" * 5000),
    "bad UTF-8": update(token="t").replace(b'"t"', b'"\xff\xfe"'),
    "overlong UTF-8": update(token="t").replace(b'"t"', b'"\xc0\x80"'),
    "UTF-16": update().decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + update(),
    "NUL in a string": update(token="a\\u0000b"),
    "a raw NUL": update() + b"\0",
    "a lone surrogate": update(token="\\ud800"),
    "a raw lone surrogate": update(token="\ud800"),
    "board of another type": b'{"board":["main"],"action_token":"t","score":5}',
    "board with a path": b'{"board":"../main","action_token":"t","score":5}',
    "endless board": b'{"board":"' + b"m" * 10_000 + b'","action_token":"t","score":5}',
    "deep metadata": update(more=',"metadata":{"a":' + "[" * 200 + "]" * 200 + "}"),
    "bottomless": b"[" * 60_000,
    "bottomless object": b'{"a":' * 10_000,
    "metadata that is not flat": update(more=',"metadata":{"a":{"b":1}}'),
    "metadata with NaN": update(more=',"metadata":{"a":NaN}'),
    "metadata with 1e999": update(more=',"metadata":{"a":1e999}'),
    "metadata too large": update(more=f',"metadata":{{"a":"{"x" * 3000}"}}'),
    "metadata with a huge number": update(more=f',"metadata":{{"a":1{"0" * 400}}}'),
    "tie columns nobody declared": update(more=',"tiebreakers":[1,2]'),
    "tie columns with a float": update(more=',"tiebreakers":[1.5]'),
    "too many elements": b'{"board":[' + b"1," * 30_000 + b"1]}",
}


@pytest.mark.parametrize("score", NOT_SCORES, ids=lambda text: text[:24] or "nothing")
async def test_what_is_no_score_is_refused_and_the_token_stays_good(target: Target, score: str) -> None:
    token = target.action()
    assert_refused(await target.request("POST", UPDATE, update(score, token)), 400, "bad_request")
    answer = await target.request("POST", UPDATE, update("0", token))
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("body", NOT_UPDATES.values(), ids=NOT_UPDATES.keys())
async def test_a_malformed_body_is_refused(target: Target, body: bytes) -> None:
    body = body.replace(b'"t"', b'"' + target.action().encode() + b'"')
    assert_refused(await target.request("POST", UPDATE, body), 400, "bad_request")


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/msgpack", "nonsense", ";;"]
)
async def test_a_body_of_another_content_type_is_refused(target: Target, content_type: str | None) -> None:
    answer = await target.request("POST", UPDATE, update(token=target.action()), content_type=content_type)
    assert_refused(answer, 400, "bad_request")


@pytest.mark.parametrize("path", [UPDATE, "/api/v1/auth/register", "/api/v1/actions", "/api/v1/boards/main/ranks"])
async def test_a_body_that_is_too_large_is_refused(target: Target, path: str) -> None:
    answer = await target.request("POST", path, b'{"a":"' + b"x" * 70_000 + b'"}')
    assert_refused(answer, 413, "too_large")


async def test_a_body_that_claims_to_be_too_large_is_refused_unread(target: Target) -> None:
    headers = (b"Content-Length: 99999999999999",)
    assert_refused(await target.request("POST", UPDATE, b"{}", headers=headers), 413, "too_large")


async def test_an_endless_chunked_body_is_refused(target: Target) -> None:
    chunk = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
    answer = await target.request("POST", UPDATE, chunk * 12, headers=(b"Transfer-Encoding: chunked",))
    assert_refused(answer, 413, "too_large")


async def test_a_batch_body_that_is_too_large_is_refused(target: Target) -> None:
    headers = (f"Content-Length: {5 * 1024 * 1024}".encode(),)
    answer = await target.request("POST", BATCH, b"{}", authorization=f"Key {target.server.key}", headers=headers)
    assert_refused(answer, 413, "too_large")


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (b"zz\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
        (b"not gzip at all", b"Content-Encoding: gzip"),
        (b"\x78\x9cnot deflate", b"Content-Encoding: deflate"),
        (gzip.compress(b" " * 5_000_000), b"Content-Encoding: gzip"),
        (b"{}", b"Content-Encoding: nonsense"),
        (b"{}", b"Transfer-Encoding: nonsense"),
    ],
)
async def test_a_body_in_a_broken_or_bloated_encoding_is_refused(target: Target, body: bytes, header: bytes) -> None:
    answer = await target.request("POST", UPDATE, body, headers=(header,))
    assert answer.status in {400, 413, 415}, answer


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GARBAGE\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_refused(target: Target, sent: bytes) -> None:
    assert (await target.raw(sent)).status in {0, 400, 404, 431}


async def test_a_client_that_leaves_in_the_middle_of_a_request_leaves_no_trace(target: Target) -> None:
    head = f"POST {UPDATE} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    for sent in (head[:40], head, head + '{"board":'):
        await target.abandon(sent.encode())


PATHS = {
    "/api/v1/boards/nowhere/top": (404, "not_found"),
    "/api/v1/boards/main/players/e:nobody": (404, "not_found"),
    "/api/v1/boards/main/around/e:nobody": (404, "not_found"),
    "/api/v1/nothing": (404, "not_found"),
    "/api/v2/boards": (404, "not_found"),
    "/api/v1/boards/main/top/": (404, "not_found"),
    "//api/v1/boards": (404, "not_found"),
    "/api/v1/boards/../../../etc/passwd": (404, "not_found"),
    "/api/v1/boards/..%2f..%2fetc%2fpasswd/top": (400, "bad_request"),
    "/api/v1/boards/%2e%2e/top": (400, "bad_request"),
    "/api/v1/boards/main%00/top": (400, "bad_request"),
    "/api/v1/boards/%ff%fe/top": (400, "bad_request"),
    "/api/v1/boards/MAIN/top": (400, "bad_request"),
    "/api/v1/boards/main'--/top": (400, "bad_request"),
    "/api/v1/boards/" + "m" * 3000 + "/top": (400, "bad_request"),
    "/api/v1/boards/main/players/" + "p" * 3000: (400, "bad_request"),
    "/api/v1/boards/main/players/a%0ab": (400, "bad_request"),
    "/api/v1/boards/main/players/%F0%9F%8F%86": (400, "bad_request"),
    "/api/v1/boards/main/top?limit=0": (400, "bad_request"),
    "/api/v1/boards/main/top?limit=101": (400, "bad_request"),
    "/api/v1/boards/main/top?limit=-1": (400, "bad_request"),
    "/api/v1/boards/main/top?limit=abc": (400, "bad_request"),
    "/api/v1/boards/main/top?limit=": (400, "bad_request"),
    "/api/v1/boards/main/top?limit=1.5": (400, "bad_request"),
    "/api/v1/boards/main/top?limit=NaN": (400, "bad_request"),
    "/api/v1/boards/main/top?limit=1e999": (400, "bad_request"),
    "/api/v1/boards/main/top?limit=" + "9" * 5000: (400, "bad_request"),
    "/api/v1/boards/main/top?limit=5&limit=6": (400, "bad_request"),
    "/api/v1/boards/main/top?board=other": (400, "bad_request"),
    "/api/v1/boards/main/top?nonsense=1": (400, "bad_request"),
    "/api/v1/boards/main/top?limit=%ff": (400, "bad_request"),
    "/api/v1/boards/main/top?window=decade": (400, "bad_request"),
    "/api/v1/boards/main/top?window=all&period=2026-13": (400, "bad_request"),
    "/api/v1/boards/main/standings?cursor=nonsense": (400, "bad_request"),
    "/api/v1/boards/main/standings?cursor=%00": (400, "bad_request"),
    "/api/v1/boards/main/standings?cursor=" + "A" * 5000: (400, "bad_request"),
    "/api/v1/boards/main/standings?limit=1000": (400, "bad_request"),
    "/api/v1/boards/main/around/e:ada?k=-1": (400, "bad_request"),
    "/api/v1/boards/main/around/e:ada?k=51": (400, "bad_request"),
    "/api/v1/boards/main/players/e:ada/history?limit=0": (400, "bad_request"),
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:60])
async def test_a_bad_address_is_refused(target: Target, path: str) -> None:
    assert_refused(await target.request("GET", path), *PATHS[path])


async def test_a_method_that_is_not_offered_is_refused(target: Target) -> None:
    for method in ("DELETE", "PATCH", "BREW"):
        assert (await target.request(method, "/api/v1/boards/main/top")).status in {400, 405}
