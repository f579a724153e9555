import pytest

# Helpers that judge: their assertions should tell what they compared, as those of test modules do.
pytest.register_assert_rewrite("tests.acceptance.judgement", "tests.acceptance.server", "tests.acceptance.traffic")
