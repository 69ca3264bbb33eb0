"""MessagePack of the browser client, against the codec of the server."""

from typing import Any

import msgpack
import pytest
from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="package")

VALUES: list[Any] = [
    None, True, False, 0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32, 2**53 - 1,
    -1, -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1, -(2**53) + 1, 0.5, -1e300,
    "", "a" * 31, "b" * 32, "c" * 255, "d" * 256, "e" * 70_000, "Łódź 🦊",
    [], [1] * 15, [1] * 16, [None] * 70_000, {}, {"a": 1}, {f"k{n}": n for n in range(16)}, {"rows": [{"position": 1}]},
]  # fmt: skip

BOTH = """async (bytes) => {
    const { decode, encode } = await import("/web/msgpack.js");
    const value = decode(new Uint8Array(bytes).buffer);
    return [JSON.stringify(value), Array.from(encode(value))];
}"""

REFUSED = """async (bytes) => {
    const { decode } = await import("/web/msgpack.js");
    try { decode(new Uint8Array(bytes).buffer); return "taken"; } catch (error) { return error.name; }
}"""


@pytest.mark.parametrize("number", range(len(VALUES)))
async def test_what_one_side_writes_the_other_reads(modules: Page, number: int) -> None:
    value = VALUES[number]
    text, encoded = await modules.evaluate(BOTH, list(msgpack.packb(value)))
    assert msgpack.unpackb(bytes(encoded)) == value
    assert await modules.evaluate("([text, value]) => text === JSON.stringify(value)", [text, value])


@pytest.mark.parametrize(
    "encoded", [b"", b"\xc1", b"\x92\x01", b"\xd9\x05ab", b"\xcd\x01", b"\xa2\xff\xfe", b"\x01\x02", b"\xd4\x01\x00"]
)
async def test_what_is_cut_or_unknown_is_refused(modules: Page, encoded: bytes) -> None:
    assert await modules.evaluate(REFUSED, list(encoded)) in ("RangeError", "TypeError")
