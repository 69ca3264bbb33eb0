"""A Redis that many callers share: what they ask while an answer is under way goes out together in the next turn.

One connection to each server process carries everything; a turn is one write and one read of all answers, so what a
caller pays is a fraction of a round trip. Nothing is sent twice here, but a script that the server did not know and a
command whose key has moved: neither was done.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from scoreboard.breaker import Breaker
from scoreboard.clock import Clock
from scoreboard.errors import Overloaded, Unavailable
from scoreboard.redis.faults import LOST, RETRY_AFTER_S, as_error, is_not_now
from scoreboard.redis.scripts import Script
from scoreboard.redis.topology import ANSWER_TIMEOUT_S, topology
from scoreboard.tasks import Tasks

log = logging.getLogger(__name__)

MAX_WAITING = 20_000
TURN_COMMANDS = 512
POSTED_WITHIN_S = 0.01
"""How long what nobody waits for is kept back for a turn that is taken anyway."""

KEEPS_ALL = "noeviction"
"""The only `maxmemory-policy` under which a ranking is whole."""

Argument = str | bytes | int


class Command(NamedTuple):
    """A command and the key that tells where it goes; of a script, its text for a server that does not know it."""

    arguments: tuple[Argument, ...]
    key: str
    script: Script | None = None


def evaluate(script: Script, keys: Sequence[str], *arguments: Argument) -> Command:
    """The call of a script; its first key tells where."""
    return Command(("EVALSHA", script.digest, len(keys), *keys, *arguments), keys[0], script)


class _Waiting(NamedTuple):
    command: Command
    answered: "asyncio.Future[Any]"


class Server:
    """Redis at a URL."""

    def __init__(self, url: str, clock: Clock, tasks: Tasks) -> None:
        """Opens nothing yet. Raises ConfigError for a URL that is not understood."""
        self._topology = topology(url)
        self._topology_changed = False
        self._breaker = Breaker(clock)
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Waiting] = []
        self._posted: list[_Waiting] = []
        self._working = False
        self._connections: dict[str, AbstractConnection] = {}
        self._dropped: set[AbstractConnection] = set()
        self._moved: list[Callable[[], None]] = []
        self._homes: dict[str, str] = {}
        self._evicting: dict[str, str] = {}
        self._scripts: dict[str, set[str]] = defaultdict(set)
        self.round_trips = 0
        """Turns taken; of one that went to several servers, each counts."""

    @property
    def is_up(self) -> bool:
        """Whether the last command reached its server."""
        return not self._breaker.is_open

    @property
    def problem(self) -> str | None:
        """What is wrong with the server, for its operator; None where nothing is known."""
        if not self.is_up:
            return "cannot be reached"
        policy = next(iter(self._evicting.values()), None)
        return None if policy is None else _advice(policy)

    def on_move(self, moved: Callable[[], None]) -> None:
        """Have `moved` called when a connection reached another server process than the one before it."""
        self._moved.append(moved)

    async def call(self, *commands: Command) -> list[Any]:
        """The answers of these commands, in order, in one round trip to each server they go to.

        Raises Unavailable where a server cannot be reached or cannot do it now, InternalError for what is refused.
        """
        self._check(len(commands))
        answered = [self._put(command) for command in commands]
        return [await answer for answer in answered]

    async def evaluate(self, script: Script, keys: Sequence[str], *arguments: Argument) -> Any:
        """The answer of one script; raises what `call` does."""
        self._check(1)
        return await self._put(evaluate(script, keys, *arguments))

    def post(self, *commands: Command) -> None:
        """Have commands done in the next turn that somebody waits for, or soon. Nobody hears what became of them.

        Raises Unavailable where they cannot be done now.
        """
        self._check(len(commands))
        if not self._posted:
            self._loop.call_later(POSTED_WITHIN_S, self._send_posted)
        self._posted += [_Waiting(command, self._loop.create_future()) for command in commands]

    async def posted(self) -> None:
        """Return when what was posted was done, or refused."""
        if posted := [waiting.answered for waiting in self._posted]:
            self._send_posted()
            await asyncio.wait(posted)

    async def place(self, key: str) -> str:
        """The name of the server that a key lives in. Raises Unavailable where nobody can tell."""
        try:
            return await self._topology.place(key)
        except Exception as fault:  # whatever it was, the caller hears of it
            self._failed([], fault)
            raise as_error(fault) from None

    @property
    def shares_slots(self) -> bool:
        """Whether one script may touch any keys: always but in a cluster."""
        return self._topology.shares_slots

    async def home(self, key: str) -> str:
        """The run id of the server process that a key lives in. Raises Unavailable."""
        place = await self.place(key)
        connection = self._connections.get(place)
        if place not in self._homes or connection is None or not connection.is_connected:
            await self.call(Command(("PING",), key))
        return self._homes[place]

    def listener(self) -> AbstractConnection:
        """A connection for messages, for the caller to open, read and close."""
        return self._topology.listener()

    async def close(self) -> None:
        """Let go of everything; what waits is refused."""
        self._refuse_all()
        for connection in (*self._connections.values(), *self._dropped):
            await connection.disconnect()
        await self._topology.close()

    # Turns

    def _check(self, commands: int) -> None:
        if not self._breaker.permits():
            raise Unavailable("Redis cannot be reached.", retry_after_s=RETRY_AFTER_S)
        if len(self._waiting) + len(self._posted) + commands > MAX_WAITING:
            raise Overloaded(f"{MAX_WAITING} commands are waiting.", retry_after_s=RETRY_AFTER_S)

    def _put(self, command: Command) -> "asyncio.Future[Any]":
        answered: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(_Waiting(command, answered))
        self._begin()
        return answered

    def _begin(self) -> None:
        if not self._working:
            self._working = True
            self._tasks.start(self._work(), "redis")

    def _send_posted(self) -> None:
        if self._posted:
            self._waiting, self._posted = [*self._posted, *self._waiting], []
            self._begin()

    async def _work(self) -> None:
        try:
            while self._waiting:
                self._send_posted()
                turn, self._waiting = self._waiting[:TURN_COMMANDS], self._waiting[TURN_COMMANDS:]
                await self._turn(turn)
        except asyncio.CancelledError:
            self._refuse_all()
            raise
        finally:
            self._working = False

    async def _turn(self, turn: Sequence[_Waiting]) -> None:
        by_place: dict[str, list[_Waiting]] = defaultdict(list)
        try:
            if self._topology_changed:
                await self._topology.refresh()
                self._topology_changed = False
            for waiting in turn:
                by_place[await self._topology.place(waiting.command.key)].append(waiting)
        except BaseException as fault:
            self._failed(turn, fault)
            if not isinstance(fault, Exception):
                raise
            return
        if len(by_place) == 1:
            await self._converse(*by_place.popitem())
        else:
            await asyncio.gather(*(self._converse(place, some) for place, some in by_place.items()))

    async def _converse(self, place: str, turn: Sequence[_Waiting]) -> None:
        """One round trip to one server, and a second one for scripts that it has forgotten."""
        try:
            answers = await self._exchange(place, [waiting.command for waiting in turn])
            if any(isinstance(answer, exceptions.NoScriptError) for answer in answers):
                answers = await self._repeat_forgotten(place, turn, answers)
        except BaseException as fault:
            self._drop(place)
            self._failed(turn, fault)
            if not isinstance(fault, Exception):
                raise
            return
        self._breaker.succeeded()
        for waiting, answer in zip(turn, answers, strict=True):
            self._answer(place, waiting, answer)

    async def _repeat_forgotten(self, place: str, turn: Sequence[_Waiting], answers: list[Any]) -> list[Any]:
        self._scripts.pop(place, None)
        forgotten = [i for i, answer in enumerate(answers) if isinstance(answer, exceptions.NoScriptError)]
        again = await self._exchange(place, [turn[i].command for i in forgotten])
        for i, answer in zip(forgotten, again, strict=True):
            answers[i] = answer
        return answers

    async def _exchange(self, place: str, commands: Sequence[Command]) -> list[Any]:
        """The answers to commands, ahead of which go the scripts among them that were not sent there before."""
        # One for all, moved on with each answer: the driver has one for each step, which costs more than the step.
        async with asyncio.timeout(ANSWER_TIMEOUT_S) as patience:
            connection = await self._connected(place)
            sent, loads = self._scripts[place], []
            for command in commands:
                if command.script is not None and command.script.digest not in sent:
                    sent.add(command.script.digest)
                    loads.append(("SCRIPT", "LOAD", command.script.text))
            self.round_trips += 1
            packed = connection.pack_commands([*loads, *(command.arguments for command in commands)])
            await connection.send_packed_command(packed, check_health=False)
            answers = []
            for _ in range(len(loads) + len(commands)):
                answers.append(await _response(connection))
                patience.reschedule(self._loop.time() + ANSWER_TIMEOUT_S)
            return answers[len(loads) :]

    async def _connected(self, place: str) -> AbstractConnection:
        connection = self._connections.get(place)
        if connection is None:
            connection = self._connections[place] = self._topology.connection(place)
            connection.redis_connect_func = partial(self._greet, place)
            connection.socket_timeout = None  # the exchange has its own
        if not connection.is_connected:
            self._scripts.pop(place, None)
            await connection.connect()
        return connection

    async def _greet(self, place: str, connection: AbstractConnection) -> None:
        """Sign in, and learn whether this is the process that was spoken to before."""
        await connection.on_connect()
        await connection.send_command("INFO")
        lines = (await connection.read_response()).decode().split("\r\n")
        facts = dict(line.split(":", 1) for line in lines if ":" in line)
        self._note_policy(place, facts["maxmemory_policy"])
        if self._homes.get(place) != facts["run_id"]:
            self._homes[place] = facts["run_id"]
            for moved in self._moved:
                moved()

    def _note_policy(self, place: str, policy: str) -> None:
        """Remember what a server does when its memory is full; the log tells once of one that forgets players then."""
        before = self._evicting.pop(place, None)
        if policy == KEEPS_ALL:
            return
        self._evicting[place] = policy
        if policy != before:
            name = f"redis {place}".strip()
            log.warning("%s: %s; rankings may lose players unnoticed", name, _advice(policy))

    def _drop(self, place: str) -> None:
        self._topology_changed = True
        connection = self._connections.pop(place, None)
        if connection is not None:
            self._dropped.add(connection)
            self._tasks.start(self._disconnect(connection), "redis disconnect")

    async def _disconnect(self, connection: AbstractConnection) -> None:
        await connection.disconnect(nowait=True)
        self._dropped.discard(connection)

    # Answers

    def _answer(self, place: str, waiting: _Waiting, answer: Any) -> None:
        if not isinstance(answer, Exception):
            if not waiting.answered.done():
                waiting.answered.set_result(answer)
        elif isinstance(answer, exceptions.AskError):  # MOVED is one too
            self._tasks.start(self._follow(waiting, answer), "redis moved")
        else:
            if is_not_now(answer):  # it may be the wrong server by now
                self._drop(place)
            else:
                log.error("redis refused a command: %s", answer)
            _refuse(waiting, as_error(answer))

    async def _follow(self, waiting: _Waiting, redirection: exceptions.AskError) -> None:
        """Ask where the key is, on a connection of its own: the shared one may be in the middle of a turn."""
        self._topology_changed = True
        connection = self._topology.connection("{}:{}".format(*redirection.node_addr))
        try:
            await connection.connect()
            if waiting.command.script is not None:
                await connection.send_command("SCRIPT", "LOAD", waiting.command.script.text)
                await connection.read_response()
            if not isinstance(redirection, exceptions.MovedError):
                await connection.send_command("ASKING")
                await connection.read_response()
            await connection.send_command(*waiting.command.arguments)
            answer = await _response(connection)
            if isinstance(answer, Exception):
                raise answer
        except Exception as fault:  # whatever it was, the caller hears of it
            self._failed([waiting], fault)
        else:
            if not waiting.answered.done():
                waiting.answered.set_result(answer)
        finally:
            await connection.disconnect(nowait=True)

    def _failed(self, turn: Sequence[_Waiting], fault: BaseException) -> None:
        if isinstance(fault, LOST):
            self._breaker.failed()
            self._topology_changed = True
            reason, _, _ = str(fault).partition(" : <")  # what follows is every Sentinel as the driver prints it
            log.warning("redis: %s", reason or type(fault).__name__)
        elif isinstance(fault, Exception) and not is_not_now(fault):
            log.error("redis: a turn failed", exc_info=fault)
        for waiting in turn:
            _refuse(waiting, as_error(fault))

    def _refuse_all(self) -> None:
        for waiting in (*self._posted, *self._waiting):
            _refuse(waiting, Unavailable("The server is closing."))
        self._posted, self._waiting = [], []


async def _response(connection: AbstractConnection) -> Any:
    """One answer; that a command was refused is an answer too."""
    try:
        return await connection.read_response(disconnect_on_error=True)
    except exceptions.ResponseError as refusal:
        return refusal


def _refuse(waiting: _Waiting, fault: Exception) -> None:
    if not waiting.answered.done():
        waiting.answered.set_exception(fault)
        waiting.answered.exception()  # the caller may have given up, and would not come for it


def _advice(policy: str) -> str:
    return f"maxmemory-policy is {policy}; set it to {KEEPS_ALL}"
