"""SQL as named queries: a file of statements, each headed by its name and a line that says what it is for.

::

    -- name: has_admin
    -- Whether anybody can administer the server.
    SELECT ...
"""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

_HEADING = re.compile(r"^-- name: *", re.MULTILINE)
_QUERY = re.compile(r"(?P<name>[a-z][a-z0-9_]*)\n(?:-- .+\n)+(?P<sql>(?!--)\S[^;]*);\n(?:--.*\n|\s)*\Z")


class Queries(Mapping[str, str]):
    """The statements of one file by name; read-only."""

    def __init__(self, text: str) -> None:
        """Raises ValueError for a query without name, purpose or closing semicolon, and for a name used twice."""
        self._statements: dict[str, str] = {}
        _, *sections = _HEADING.split(text)
        for section in sections:
            self._add(section)

    def _add(self, section: str) -> None:
        query = _QUERY.match(section)
        if query is None:
            raise ValueError(f"not a named query with a purpose: {section[:60]!r}")
        if query["name"] in self._statements:
            raise ValueError(f"two queries are called {query['name']}")
        self._statements[query["name"]] = query["sql"]

    def __getitem__(self, name: str) -> str:
        return self._statements[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._statements)

    def __len__(self) -> int:
        return len(self._statements)


def load_queries(package: str, *resources: str) -> Queries:
    """The named queries that a package ships in some files. Raises ValueError for a malformed one."""
    return Queries("\n".join(files(package).joinpath(resource).read_text(encoding="utf-8") for resource in resources))
