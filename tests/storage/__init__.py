import pytest

pytest.register_assert_rewrite(
    "tests.storage.contract",
    "tests.storage.accounts",
    "tests.storage.folding",
    "tests.storage.freezing",
    "tests.storage.reading",
    "tests.storage.windows",
)
