"""Every reason of the catalogue is reached by a test, and every RPC has its rows."""

from collections import Counter

from ingest_grpc.errors import Reason
from tests.integration.calling import RPCS
from tests.integration.errors.table import unreached
from tests.reaching import A_RECORD, AN_ALIGNMENT, EVERY_RPC, reached


def test_catalogue__every_reason_is_reached() -> None:
    assert unreached() == ""


def test_marks__stand_on_tests_that_name_the_reason() -> None:
    assert [mark for mark in reached() if not mark.named] == []


def test_marks__name_what_there_is_and_each_thing_once() -> None:
    known = {EVERY_RPC, A_RECORD, AN_ALIGNMENT, *RPCS}
    assert {mark.by for mark in reached()} <= known
    counted = Counter((mark.by, mark.when) for mark in reached())
    assert {what for what, count in counted.items() if count > 1} == set()


def test_marks__are_read_from_the_source_as_they_stand() -> None:
    [mark] = [mark for mark in reached() if mark.reason is Reason.SERVER_BUSY]
    assert mark.test.startswith("tests/unit/store/test_writer.py::test_")
    assert (mark.by, mark.named) == (EVERY_RPC, True)
