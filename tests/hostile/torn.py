"""Good documents cut short or changed by chance: the same ones at every call."""

import random
from collections.abc import Iterator

from ingest_grpc.errors import Reason
from tests.hostile.case import COMPLETED, Case, case
from tests.hostile.mutations import mutated
from tests.hostile.seeds import seeds

CUTS = (1, 7, 64, 300)
CHANGES = 6
OUTCOMES = frozenset(
    {
        COMPLETED,
        Reason.PDF_UNREADABLE,
        Reason.PDF_PAGE_TOO_LARGE,
        Reason.FILE_UNREADABLE,
        Reason.FILE_ENCRYPTED,
        Reason.UNSUPPORTED_TYPE,
        Reason.EMPTY_FILE,
        Reason.NO_TEXT,
        Reason.ONLY_PICTURES,
        Reason.TEXT_UNDECODABLE,
        Reason.DECOMPRESSION_BOMB,
        Reason.OUTPUT_TOO_LARGE,
        Reason.TOO_DEEPLY_NESTED,
        Reason.TOO_MANY_PAGES,
        Reason.IMAGE_TOO_LARGE,
    }
)
"""Whatever a change makes of a document: never a crash, a hang, or an error of ours."""


def cases() -> Iterator[Case]:
    """Each seed document cut at some places and changed by chance some times."""
    for name, data in seeds().items():
        stem, _, suffix = name.rpartition(".")
        for cut in (*CUTS, len(data) // 2, len(data) - 1):
            if cut < len(data):
                yield case(f"{stem}-cut-{cut}.{suffix}", data[:cut], OUTCOMES)
        for number in range(CHANGES):
            yield case(f"{stem}-changed-{number}.{suffix}", mutated(data, random.Random(f"{name}:{number}")), OUTCOMES)
