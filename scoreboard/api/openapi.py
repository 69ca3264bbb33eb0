"""The operations as an OpenAPI 3.1 document, made from their one table and the types on the wire."""

from collections.abc import Iterable, Iterator
from functools import cache
from http import HTTPStatus
from importlib import metadata
from typing import Any, Final, get_type_hints

import msgspec

from scoreboard.api.export import Export
from scoreboard.api.inbound import OWN
from scoreboard.api.middleware import ROLES_OF_SCOPE
from scoreboard.api.operation import Operation
from scoreboard.api.operations import OPERATIONS
from scoreboard.api.problems import PROBLEM
from scoreboard.api.replies import AuthOk, Pong
from scoreboard.api.rest import PREFIX
from scoreboard.api.rest_call import JSON, MAX_IDEMPOTENCY_KEY
from scoreboard.api.ws import PROTOCOLS
from scoreboard.codec import encode_json
from scoreboard.errors import (
    ActionTokenExpired,
    ActionTokenInvalid,
    ActionTokenUsed,
    BadRequest,
    Conflict,
    Forbidden,
    IdempotencyMismatch,
    InternalError,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    PeriodClosed,
    PlayerBanned,
    RateLimited,
    RuleRejected,
    ScoreboardError,
    ScoreOutOfRange,
    TokenExpired,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UsernameTaken,
)
from scoreboard.events import EVENTS, TEST
from scoreboard.leaderboard import TopPage
from scoreboard.live.failure import Failure
from scoreboard.wire import (
    Batch,
    Bye,
    Delta,
    Expiring,
    ExportOut,
    Freshness,
    MePushed,
    PageOut,
    Ping,
    PlayerRowOut,
    Problem,
    ScoreOut,
    Snapshot,
    State,
    told,
)

Schema = dict[str, Any]
Faults = tuple[type[ScoreboardError], ...]

GROUPS: Final = {
    "auth": "Accounts",
    "me": "Accounts",
    "actions": "Scores",
    "scores": "Scores",
    "boards": "Boards",
    "admin/reviews": "Reviews",
    "admin/submissions": "Reviews",
    "admin/players": "Players",
    "admin/webhooks": "Webhooks",
    "admin": "Running it",
}
"""What operations are about, by the longest of these beginnings of their paths."""

OF_ALL: Final[Faults] = (BadRequest, RateLimited, InternalError, Unavailable, Overloaded)
OF_CREDENTIALS: Final[Faults] = (Unauthenticated, TokenExpired, PlayerBanned)
OF_ONE: Final[dict[str, Faults]] = {
    "register": (Forbidden, UsernameTaken),
    "login": (Unauthenticated, PlayerBanned),
    "refresh": (Unauthenticated, PlayerBanned),
    "action": (NotFound,),
    "score": (
        *(ActionTokenInvalid, ActionTokenExpired, ActionTokenUsed, RuleRejected),
        *(NotFound, ScoreOutOfRange, PeriodClosed),
    ),
    "batch": (IdempotencyMismatch,),
    "claim_review": (Conflict,),
    "release_review": (Conflict,),
    "note_review": (Conflict,),
    "approve_review": (Conflict, ScoreOutOfRange),
    "reject_review": (Conflict,),
    "void": (ScoreOutOfRange,),
    "put_board": (Conflict, ScoreOutOfRange),
    "new_webhook": (NotFound, Conflict),
    "test_webhook": (Conflict,),
}
"""What operations may fail with besides what may happen to every one of their kind."""

PUSHED: Final = (AuthOk, Failure, Snapshot, Delta, MePushed, Ping, Pong, State, Freshness, Expiring, Bye)
"""Messages from the server, but `result`, which is the answer of an operation."""

WRITTEN_OUT: Final[dict[type, type]] = {TopPage: PageOut, Export: ExportOut}
"""What answers are that are encoded elsewhere."""

TAGGED: Final = (PageOut, PlayerRowOut, ExportOut)
"""Answers that have an ETag."""

TOLD: Final = (*EVENTS, TEST)
"""What webhooks are told of."""

SIGNED: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")

REF: Final = "#/components/schemas/{name}"


@cache
def openapi() -> bytes:
    """The document as JSON; made when it is first asked for."""
    return encode_json(_Document().whole())


class _Document:
    """The document while it is written."""

    def __init__(self) -> None:
        self._outputs = {operation.name: _output(operation) for operation in OPERATIONS}
        types = [*_inputs(), *filter(None, self._outputs.values()), *OWN.values(), *PUSHED, Problem, *map(told, TOLD)]
        refs, found = msgspec.json.schema_components(list(dict.fromkeys(types)), ref_template=REF)
        self._refs: dict[type, Schema] = dict(zip(dict.fromkeys(types), refs, strict=True))
        self._schemas: dict[str, Schema] = _portable(found)
        self._responses: dict[str, Schema] = {}

    def whole(self) -> Schema:
        """All of it."""
        paths: dict[str, Schema] = {}
        for operation in OPERATIONS:
            paths.setdefault(f"{PREFIX}{operation.path}", {})[operation.method.lower()] = self._operation(operation)
        live = self._live()
        webhooks = {event: {"post": self._told(event)} for event in TOLD}
        return {
            "openapi": "3.1.1",
            "info": {
                "title": "scoreboard",
                "summary": "A self-hosted live scoreboard server",
                "version": metadata.version("scoreboard"),
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": "."}],  # from this document, wherever the application is mounted
            "tags": [{"name": name} for name in dict.fromkeys(map(_group, OPERATIONS))],
            "paths": paths,
            "webhooks": webhooks,
            "components": {
                "securitySchemes": _security_schemes(),
                "schemas": dict(
                    self._used({"paths": paths, "live": live, "responses": self._responses, "webhooks": webhooks})
                ),
                "responses": self._responses,
            },
            "x-websocket": live,
        }

    def _operation(self, operation: Operation[Any, Any]) -> Schema:
        summary, _, more = (operation.run.__doc__ or operation.name).partition("\n\n")
        asked = self._schemas[_name(self._refs[operation.input])]
        described = {"summary": summary.strip(), "description": more.strip() or asked.get("description")}
        fields = {name: each for name, each in asked["properties"].items() if f"{{{name}}}" not in operation.path}
        has_body = operation.method in {"POST", "PUT"}
        parameters = [*self._parameters(operation, asked, asked["properties"].keys() - fields.keys(), "path")]
        if not has_body:
            parameters += self._parameters(operation, asked, fields, "query")
        elif issubclass(operation.input, Batch):
            parameters.append(_idempotency_key())
        return {
            "operationId": operation.name,
            "tags": [_group(operation)],
            **{name: text for name, text in described.items() if text},
            "security": _security(operation),
            **({"parameters": parameters} if parameters else {}),
            **({"requestBody": self._body(operation, asked, fields)} if has_body and fields else {}),
            "responses": {**self._answers(operation), **self._refusals(operation)},
            **({"x-websocket-message": operation.name} if operation.websocket else {}),
        }

    def _parameters(
        self, operation: Operation[Any, Any], asked: Schema, names: Iterable[str], place: str
    ) -> Iterator[Schema]:
        for name in sorted(names, key=list(asked["properties"]).index):
            required = place == "path" or name in asked.get("required", ())
            yield {"name": name, "in": place, "required": required, "schema": _present(asked["properties"][name])}

    def _body(self, operation: Operation[Any, Any], asked: Schema, fields: dict[str, Schema]) -> Schema:
        """What the body holds: all of the input, but for what stands in the path."""
        schema = self._refs[operation.input]
        if len(fields) < len(asked["properties"]):
            required = [name for name in asked.get("required", ()) if name in fields]
            schema = {**asked, "properties": fields, "required": required}
            if not required:
                del schema["required"]
        return {"required": True, "content": {JSON: {"schema": schema}}}

    def _answers(self, operation: Operation[Any, Any]) -> Schema:
        output = self._outputs[operation.name]
        if output is None:
            return {str(operation.status): _response(operation.status)}
        content = {JSON: {"schema": self._refs[output]}}
        if output is ExportOut:
            content = {"text/csv": {"schema": {"type": "string"}}, **content}
        answer = _response(operation.status, content=content)
        if output is ScoreOut:
            return {str(operation.status): answer, "202": _response(202, content=content)}
        if output not in TAGGED or operation.method != "GET":
            return {str(operation.status): answer}
        tag = {"ETag": {"schema": {"type": "string"}}}
        return {str(operation.status): {**answer, "headers": tag}, "304": _response(304, headers=tag)}

    def _refusals(self, operation: Operation[Any, Any]) -> Schema:
        faults: dict[int, dict[str, None]] = {}
        for fault in _faults(operation):
            faults.setdefault(fault.status, {})[fault.code] = None
        return {str(status): self._refusal(status, list(codes)) for status, codes in sorted(faults.items())}

    def _refusal(self, status: int, codes: list[str]) -> Schema:
        """A refusal with one of these codes; most operations share theirs."""
        name = "-".join(codes)
        schema = {"allOf": [self._refs[Problem], {"properties": {"code": {"enum": codes}}}]}
        self._responses[name] = _response(status, content={PROBLEM: {"schema": schema}})
        return {"$ref": f"#/components/responses/{name}"}

    def _live(self) -> Schema:
        """What OpenAPI has no words for: the messages of the WebSocket."""
        own = [{"type": name, "schema": self._refs[message]} for name, message in OWN.items()]
        operations = [
            {"type": operation.name, "operationId": operation.name} for operation in OPERATIONS if operation.websocket
        ]
        pushed = [{"type": message.__struct_config__.tag, "schema": self._refs[message]} for message in PUSHED]
        return {
            "path": "/ws",
            "subprotocols": list(PROTOCOLS),
            "toServer": [*own, *operations],
            "fromServer": [{"type": "result"}, *pushed],
        }

    def _told(self, event: str) -> Schema:
        """What is sent to a webhook of an event."""
        data = {"type": {"const": event}, "timestamp": {"type": "string"}, "data": self._refs[told(event)]}
        schema = {"type": "object", "properties": data, "required": list(data)}
        return {
            "tags": ["Webhooks"],
            "parameters": [
                {"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in SIGNED
            ],
            "requestBody": {"required": True, "content": {JSON: {"schema": schema}}},
            "responses": {"2XX": {"description": "It has arrived; after anything else it is sent again."}},
        }

    def _used(self, part: Any) -> Iterator[tuple[str, Schema]]:
        """The schemas that a part of the document speaks of, and those that they speak of."""
        names = dict.fromkeys(_mentioned(part))
        for name in (waiting := list(names)):
            more = dict.fromkeys(_mentioned(self._schemas[name])).keys() - names.keys()
            waiting += more
            names.update(dict.fromkeys(more))
        yield from ((name, self._schemas[name]) for name in sorted(names))


def _inputs() -> Iterator[type]:
    return (operation.input for operation in OPERATIONS)


def _output(operation: Operation[Any, Any]) -> type | None:
    """What the operation answers with, as it is written out."""
    output: type = get_type_hints(operation.run)["return"]
    if output is type(None):
        return None
    return WRITTEN_OUT.get(output, output)


def _group(operation: Operation[Any, Any]) -> str:
    return GROUPS[max(filter(operation.path.startswith, GROUPS), key=len)]


def _faults(operation: Operation[Any, Any]) -> Iterator[type[ScoreboardError]]:
    yield from OF_ALL
    yield from OF_ONE.get(operation.name, ())
    if operation.method in {"POST", "PUT"}:
        yield TooLarge
    if operation.access != "anyone":
        yield from OF_CREDENTIALS
    if operation.access not in {"anyone", "reader"}:
        yield Forbidden
    if "{" in operation.path:
        yield NotFound
    if operation.method != "GET" and operation.access != "reader":
        yield OutcomeUnknown


def _security_schemes() -> Schema:
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A player's access token.",
        },
        "key": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "A backend's API key, as `Key <API key>`.",
        },
    }


def _security(operation: Operation[Any, Any]) -> list[Schema]:
    """Each of these will do; the roles or scopes that are needed are named."""
    access = operation.access
    if access == "anyone":
        return []
    if access == "player":
        return [{"bearer": []}]
    if access == "reader" or access == "caller":
        return [*([{}] if access == "reader" else []), {"bearer": []}, {"key": []}]
    roles = ROLES_OF_SCOPE.get(access)
    return [{"key": [access]}, *([{"bearer": list(roles)}] if roles else [])]


def _idempotency_key() -> Schema:
    schema = {"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY}
    return {"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema}


def _response(status: int, **more: Schema) -> Schema:
    return {"description": HTTPStatus(status).phrase, **more}


def _present(schema: Schema) -> Schema:
    """A parameter that may be left out cannot be null."""
    one_of = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return one_of[0] if len(one_of) == 1 else schema


def _portable(schema: Any) -> Any:
    """A schema with patterns as JSON Schema knows them, where the end of the text is `$`."""
    if isinstance(schema, dict):
        return {
            name: each.replace(r"\Z", "$") if name == "pattern" and isinstance(each, str) else _portable(each)
            for name, each in schema.items()
        }
    return [_portable(each) for each in schema] if isinstance(schema, list | tuple) else schema


def _mentioned(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part and part["$ref"].startswith(REF.format(name="")):
            yield _name(part)
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _mentioned(each)


def _name(ref: Schema) -> str:
    return str(ref["$ref"]).rpartition("/")[2]
