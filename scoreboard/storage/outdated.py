"""What is said of a database that was made before the first release: nothing leads from there to what is used now."""


def outdated(missing: str) -> str:
    """A sentence with what it has not got, and what to do."""
    return (
        f"the database has no {missing}: a version from before the first release made it, which this one cannot use; "
        "move it away or name another one (data.dir or database.url), or go on with the server that made it"
    )
