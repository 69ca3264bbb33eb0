"""Answers as `/openapi.json` describes them: whatever the tests are answered must be in it, and nothing more."""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012, Schema

from scoreboard.api.openapi import openapi

HOME = "urn:openapi"

seen: dict[str, set[int]] = defaultdict(set)
"""Statuses of the answers that were checked, by the operation's name."""


def check(method: str, path: str, status: int, headers: Mapping[str, str], body: Any) -> None:
    """Raise AssertionError for an answer to an operation that is not described, or otherwise."""
    place = _place(method, path)
    if place is None or status == 405:
        return
    pointer, operation = place
    seen[operation["operationId"]].add(status)
    response = operation["responses"].get(str(status))
    assert response is not None, f"{method} {path}: {status} {body} is not described"
    if "$ref" in response:
        pointer, response = response["$ref"].removeprefix("#"), _followed(response["$ref"])
    else:
        pointer = f"{pointer}/responses/{status}"
    assert ("ETag" in response.get("headers", {})) or "ETag" not in headers, f"{method} {path} has an ETag"
    if "content" not in response:
        assert body is None, f"{method} {path}: {status} has a body"
        return
    kind = headers["Content-Type"].partition(";")[0]
    assert kind in response["content"], f"{method} {path}: {status} is {kind}"
    fault = next(_validator(f"{pointer}/content/{_escaped(kind)}/schema").iter_errors(body), None)
    assert fault is None, f"{method} {path}: {status}: {fault}"


@cache
def document() -> dict[str, Any]:
    """The document."""
    found: dict[str, Any] = msgspec.json.decode(openapi())
    return found


@cache
def _place(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """Where an operation is described, by JSON pointer, and how."""
    paths = document()["paths"]
    for template in sorted(paths, key=lambda template: template.count("{")):
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in paths[template]:
            return f"/paths/{_escaped(template)}/{method.lower()}", paths[template][method.lower()]
    return None


def _followed(ref: str) -> dict[str, Any]:
    found = document()
    for step in ref.removeprefix("#/").split("/"):
        found = found[step]
    return found


def _escaped(step: str) -> str:
    """A step of a JSON pointer, in a URL."""
    return step.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


@cache
def _validator(pointer: str) -> Draft202012Validator:
    resource: Schema = _closed(document())
    registry: Registry[Schema] = Registry().with_resource(HOME, DRAFT202012.create_resource(resource))
    return Draft202012Validator({"$ref": f"{HOME}#{pointer}"}, registry=registry)


def _closed(part: Any) -> Any:
    """Schemas in which objects have what is described and no more."""
    if isinstance(part, list):
        return [_closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    closed = {name: _closed(each) for name, each in part.items()}
    if part.get("type") == "object" and "properties" in part:
        closed.setdefault("additionalProperties", False)
    return closed
