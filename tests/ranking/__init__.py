import pytest

pytest.register_assert_rewrite("tests.ranking.contract", "tests.ranking.loading", "tests.ranking.model")
