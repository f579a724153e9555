from datetime import UTC, datetime, timedelta

import pytest

from ingest_grpc.cli.failures import Failure
from ingest_grpc.cli.file_changes import parsed_time


def test_time__with_and_without_a_zone() -> None:
    assert parsed_time("2030-01-31T12:00+01:00") == datetime(2030, 1, 31, 11, tzinfo=UTC)
    local = parsed_time("2030-01-31")
    assert local.utcoffset() is not None
    assert abs(local - datetime(2030, 1, 31, tzinfo=UTC)) <= timedelta(hours=14)


def test_time__refuses_what_is_none() -> None:
    with pytest.raises(Failure, match="no time"):
        parsed_time("tomorrow")
