"""A YAML text into a tree of settings, with every complaint naming the key it is about.

YAML is read by the core rules of its version 1.2 as far as settings need them: `off` and `no` are words, dates are
text, `010` is no number, and a key may be given once.
"""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
import yaml

from scoreboard.errors import ConfigError

T = TypeVar("T")
Path = tuple[str, ...]


class _Loader(yaml.SafeLoader):
    """Builds plain values only; its own table of resolvers leaves out what YAML 1.1 made of words and dates."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 -- declared so by the class it overrides

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            text = str(key.value)
            if text in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {text} is given twice", problem_mark=key.start_mark)
            seen.add(text)
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("bool", r"true|false", list("tf")),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=e))(e[-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"({_pattern})\\Z"), _first)


def parse_yaml(text: str, source: str) -> Any:
    """A YAML text as plain values; `source` names it in the complaint. Raises ConfigError."""
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as fault:
        line = f", line {fault.problem_mark.line + 1}" if fault.problem_mark else ""
        raise ConfigError(f"{source}{line}: {fault.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        raise ConfigError(f"{source}: {str(fault).splitlines()[0]}") from None


def read_tree(tree: object, type: type[T]) -> T:
    """Plain values as a Struct. Raises ConfigError naming the key and, for an unknown one, the nearest known one."""
    value: T = _read(tree, type, ())
    return value


def wants_text(type: Any, steps: Sequence[str]) -> bool:
    """Whether the place that `steps` lead to holds a string."""
    for step in steps:
        bare = _bare(type)
        type = get_args(bare)[1] if get_origin(bare) is dict else _fields(bare).get(step)
    return _bare(type) is str


def _read(tree: object, type: Any, path: Path) -> Any:
    bare = _bare(type)
    if _fields(bare):
        return _read_struct(tree, bare, path)
    if get_origin(bare) is dict and isinstance(tree, dict):
        return {key: _read_entry(key, value, bare, (*path, str(key))) for key, value in tree.items()}
    return _convert(tree, type, path)


def _read_struct(tree: object, type: Any, path: Path) -> Any:
    given = {} if tree is None else tree
    if not isinstance(given, dict):
        raise ConfigError(f"{_dotted(path) or 'the configuration'}: must hold keys and their values")
    known = _fields(type)
    for key in given:
        if key not in known:
            raise ConfigError(_unknown(str(key), known, path))
    for field in msgspec.structs.fields(type):
        if field.required and field.name not in given:
            raise ConfigError(f"{_dotted((*path, field.name))}: is missing")
    return type(**{key: _read(value, known[key], (*path, key)) for key, value in given.items()})


def _read_entry(key: object, value: object, type: Any, path: Path) -> Any:
    key_type, value_type = get_args(type)
    _convert(key, key_type, path)
    return _read(value, value_type, path)


def _convert(tree: object, type: Any, path: Path) -> Any:
    try:
        return msgspec.convert(tree, type)
    except msgspec.ValidationError as fault:
        message, _, inner = str(fault).partition(" - at `$")
        raise ConfigError(f"{_dotted(path)}{inner.rstrip('`')}: {message}") from None


def _unknown(key: str, known: dict[str, Any], path: Path) -> str:
    nearest = difflib.get_close_matches(key, known, 1, 0.0)[0]
    return f"{_dotted((*path, key))}: unknown key; the nearest known one is {_dotted((*path, nearest))}"


def _bare(type: Any) -> Any:
    return get_args(type)[0] if get_origin(type) is Annotated else type


def _fields(type: Any) -> dict[str, Any]:
    """The types of a Struct's fields; empty for any other type."""
    try:
        return {field.name: field.type for field in msgspec.structs.fields(type)}
    except TypeError:
        return {}


def _dotted(path: Path) -> str:
    return ".".join(path)
