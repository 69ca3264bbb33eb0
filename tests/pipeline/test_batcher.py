"""Natural batching: what is carried together, in which order, and what happens when a batch fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence

import pytest

from scoreboard.errors import InternalError, Overloaded, Unavailable
from scoreboard.pipeline.batcher import MIN_BESIDE, Batcher
from scoreboard.tasks import Tasks

Item = tuple[str, int]


class Carrier:
    """Notes every batch; a closed gate keeps them in flight."""

    def __init__(self) -> None:
        self.batches: list[list[Item]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.started = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()
        self.poison: Item | None = None
        self.poison_fault: Exception = ValueError("cannot be stored")
        self.fault: Exception | None = None

    async def __call__(self, batch: list[Item]) -> Awaitable[Sequence[str]]:
        self.batches.append(batch)
        self.started.set()
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        if self.poison in batch:
            raise self.poison_fault
        return self.answer(batch)

    async def answer(self, batch: list[Item]) -> Sequence[str]:
        await self.answers.wait()
        return [f"{lane}{number}" for lane, number in batch]


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    tasks = Tasks()
    yield tasks
    await tasks.cancel()


def batcher(carrier: Carrier, tasks: Tasks, **bounds: int) -> Batcher[Item, str]:
    bounds = {"batch_max": 100, "queue_max": 1000, **bounds}
    return Batcher("test", carrier, lambda item: item[0], tasks, **bounds)


async def test_items_that_arrive_together_travel_together(tasks: Tasks) -> None:
    carrier = Carrier()
    put = batcher(carrier, tasks).put
    assert [*await asyncio.gather(put(("a", 1)), put(("b", 2)))] == ["a1", "b2"]
    assert carrier.batches == [[("a", 1), ("b", 2)]]


async def test_what_arrives_while_a_batch_is_in_flight_becomes_the_next(tasks: Tasks) -> None:
    carrier = Carrier()
    carrier.gate.clear()
    put = batcher(carrier, tasks).put
    first = put(("a", 1))
    await carrier.started.wait()
    later = [put((lane, 2)) for lane in "bcd"]
    carrier.gate.set()
    await asyncio.gather(first, *later)
    assert carrier.batches == [[("a", 1)], [("b", 2), ("c", 2), ("d", 2)]]


async def test_items_of_one_lane_are_carried_one_by_one_in_order(tasks: Tasks) -> None:
    carrier = Carrier()
    put = batcher(carrier, tasks).put
    await asyncio.gather(*(put((lane, number)) for number in range(5) for lane in "ab"))
    assert all(len({lane for lane, _ in batch}) == len(batch) for batch in carrier.batches)
    carried = [item for batch in carrier.batches for item in batch]
    for wanted in "ab":
        assert [number for lane, number in carried if lane == wanted] == list(range(5))


async def test_a_batch_is_no_larger_than_its_bound(tasks: Tasks) -> None:
    carrier = Carrier()
    put = batcher(carrier, tasks, batch_max=3).put
    await asyncio.gather(*(put((str(number), number)) for number in range(10)))
    assert [len(batch) for batch in carrier.batches] == [3, 3, 3, 1]


async def test_a_full_batch_is_carried_beside_another_and_a_small_one_is_not(tasks: Tasks) -> None:
    carrier = Carrier()
    carrier.gate.clear()
    put = batcher(carrier, tasks, batch_max=3).put
    waiting = [put(("a", 0))]
    await carrier.started.wait()
    waiting += [put((lane, 1)) for lane in "bc"]
    await asyncio.sleep(0)
    assert carrier.batches == [[("a", 0)]]
    waiting += [put((lane, 1)) for lane in "de"]
    await asyncio.sleep(0)
    waiting += [put((lane, 2)) for lane in "fghab"]
    await asyncio.sleep(0)
    assert carrier.batches == [[("a", 0)], [("b", 1), ("c", 1), ("d", 1)]]
    carrier.gate.set()
    assert len(await asyncio.gather(*waiting)) == 10
    assert sorted(item for batch in carrier.batches for item in batch) == sorted(
        [("a", 0), ("a", 2), ("b", 1), ("b", 2), *((lane, 1) for lane in "cde"), *((lane, 2) for lane in "fgh")]
    )


async def test_one_as_large_as_the_one_in_flight_is_carried_beside_it(tasks: Tasks) -> None:
    carrier = Carrier()
    carrier.gate.clear()
    put = batcher(carrier, tasks).put
    waiting = [put((f"first {number}", number)) for number in range(40)]
    await carrier.started.wait()
    waiting += [put((f"second {number}", number)) for number in range(39)]
    await asyncio.sleep(0)
    assert [len(batch) for batch in carrier.batches] == [40]
    waiting.append(put(("second 39", 39)))
    await asyncio.sleep(0)
    assert [len(batch) for batch in carrier.batches] == [40, 40]
    waiting += [put((f"third {number}", number)) for number in range(30)]
    await asyncio.sleep(0)
    assert [len(batch) for batch in carrier.batches] == [40, 40]
    carrier.gate.set()
    await asyncio.gather(*waiting)
    assert [len(batch) for batch in carrier.batches] == [40, 40, 30]


async def test_a_few_wait_for_the_batch_before_though_it_is_smaller(tasks: Tasks) -> None:
    carrier = Carrier()
    carrier.gate.clear()
    put = batcher(carrier, tasks).put
    waiting = [put(("first", 0))]
    await carrier.started.wait()
    waiting += [put((str(number), number)) for number in range(MIN_BESIDE - 1)]
    await asyncio.sleep(0)
    assert [len(batch) for batch in carrier.batches] == [1]
    waiting.append(put(("last", 0)))
    await asyncio.sleep(0)
    assert [len(batch) for batch in carrier.batches] == [1, MIN_BESIDE]
    carrier.gate.set()
    await asyncio.gather(*waiting)


async def test_the_next_batch_does_not_wait_for_the_answers_of_the_one_before(tasks: Tasks) -> None:
    carrier = Carrier()
    carrier.answers.clear()
    put = batcher(carrier, tasks).put
    first = put(("a", 1))
    await carrier.started.wait()
    carrier.started.clear()
    second = put(("a", 2))
    await carrier.started.wait()
    assert not first.done()
    carrier.answers.set()
    assert [*await asyncio.gather(first, second)] == ["a1", "a2"]


async def test_more_than_the_queue_holds_is_refused_and_the_rest_is_carried(tasks: Tasks) -> None:
    carrier = Carrier()
    line = batcher(carrier, tasks, queue_max=2)
    waiting = [line.put(("a", 1)), line.put(("b", 1))]
    assert not line.has_room(1)
    with pytest.raises(Overloaded):
        line.put(("c", 1))
    assert await asyncio.gather(*waiting) == ["a1", "b1"]
    assert line.has_room(2)


@pytest.mark.parametrize("fault", [ValueError("cannot be stored"), InternalError()])
async def test_one_bad_item_fails_alone(tasks: Tasks, caplog: pytest.LogCaptureFixture, fault: Exception) -> None:
    carrier = Carrier()
    carrier.poison, carrier.poison_fault = ("e", 5), fault
    put = batcher(carrier, tasks).put
    results = await asyncio.gather(*(put((lane, 5)) for lane in "abcdefgh"), return_exceptions=True)
    assert [result for result in results if isinstance(result, str)] == ["a5", "b5", "c5", "d5", "f5", "g5", "h5"]
    assert isinstance(results[4], InternalError)
    assert "one item failed" in caplog.text


async def test_a_fault_that_says_what_happened_goes_to_all_and_is_not_tried_again(tasks: Tasks) -> None:
    carrier = Carrier()
    carrier.fault = Unavailable()
    put = batcher(carrier, tasks).put
    results = await asyncio.gather(put(("a", 1)), put(("b", 1)), return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    assert len(carrier.batches) == 1


async def test_an_item_is_carried_though_nobody_waits_for_it_any_more(tasks: Tasks) -> None:
    carrier = Carrier()
    carrier.gate.clear()
    line = batcher(carrier, tasks)
    abandoned, kept = line.put(("a", 1)), line.put(("b", 1))
    await carrier.started.wait()
    abandoned.cancel()
    carrier.gate.set()
    assert await kept == "b1"
    await line.drained()
    assert carrier.batches == [[("a", 1), ("b", 1)]]


async def test_drained_waits_for_everything(tasks: Tasks) -> None:
    carrier = Carrier()
    line = batcher(carrier, tasks)
    waiting = [line.put(("a", number)) for number in range(4)]
    await line.drained()
    assert all(future.done() for future in waiting)
