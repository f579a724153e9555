"""Every reason of the catalogue is reached by a test, and every RPC has its rows."""

from collections import Counter

from ingest_grpc.errors import CATALOGUE, Reason
from tests.integration.calling import RPCS
from tests.integration.errors.table import ROWS
from tests.reaching import A_RECORD, AN_ALIGNMENT, EVERY_RPC, reached

HOW = """
No test reaches {missing}.
A reason that an RPC answers to a wrong call: add a Row to tests/integration/errors (of_jobs.py, of_files.py, …).
Any other: put @reaches(Reason.…, A_RECORD, "what is wrong") of tests/reaching.py on the test that sees it come from
its real cause. Then run scripts/make_docs.py, which writes both into docs/errors.md."""


AWAITED = frozenset(
    {
        Reason.CONVERSION_STALLED,
        Reason.DOCUMENT_TOO_LARGE,
        Reason.IMAGE_TOO_LARGE,
        Reason.TOO_DEEPLY_NESTED,
        Reason.TOO_MANY_ENTRIES,
        Reason.TOO_MANY_PAGES,
    }
)
"""Reasons that came before what gives them: each leaves with the mark of its test."""


def test_catalogue__every_reason_is_reached() -> None:
    missing = set(CATALOGUE) - {row.reason for row in ROWS} - {mark.reason for mark in reached()}
    assert not missing - AWAITED, HOW.format(missing=", ".join(sorted(missing - AWAITED)))
    assert missing >= AWAITED, f"reached by now, so take it out of AWAITED: {', '.join(sorted(AWAITED - missing))}"


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
