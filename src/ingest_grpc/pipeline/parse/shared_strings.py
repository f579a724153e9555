"""The texts that cells of a workbook share: stored once, and written out at each cell that names them.

So a small file can hold far more text than memory, which the engine fills before it writes any. They are added up here
before it sees the file.
"""

import re
from collections import Counter
from collections.abc import Sequence

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import zip_probe
from ingest_grpc.pipeline.parse.engines import STDLIB
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.outcome import ParseFailure

_STRINGS = "xl/sharedstrings.xml"
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_ITEM_END = re.compile(rb"</(?:\w+:)?si\s*>")
_CELL = re.compile(rb"""\st\s*=\s*(?:"s"|'s')[^>]*>[^<]*<(?:\w+:)?v\s*>\s*(\d{1,10})""")
_NO_TEXT = re.compile(rb"<[^>]*+>|&#?\w{1,8}(?=;)")
"""Markup; and of an escaped character all but the semicolon, so that it counts once."""


def check(data: bytes, members: Sequence[str], limits: Limits) -> None:
    """ParseFailure OUTPUT_TOO_LARGE for a workbook whose cells share more text than an output may have."""
    strings = next((name for name in members if name.lower() == _STRINGS), None)
    if strings is None:
        return
    items = _ITEM_END.split(zip_probe.part(data, strings, limits.max_expanded_bytes))
    longest = max(map(len, items))
    taken = 0
    for name in members:
        if _SHEET.fullmatch(name.lower()):
            sheet = zip_probe.part(data, name, limits.max_expanded_bytes)
            # Counting end tags is ten times faster than looking at cells, and few workbooks come near the limit so.
            most = sheet.count(b"</") * longest
            taken += most if taken + most <= limits.max_output_bytes else _shared_bytes(sheet, items)
            if taken > limits.max_output_bytes:
                detail = f"cells share more text than the {limits.max_output_bytes} bytes that an output may have"
                raise ParseFailure(Reason.OUTPUT_TOO_LARGE, detail, engine=STDLIB)


def _shared_bytes(sheet: bytes, items: Sequence[bytes]) -> int:
    """How much text the cells of a sheet take from the shared ones."""
    uses = Counter(map(int, _CELL.findall(sheet)))
    return sum(times * len(_NO_TEXT.sub(b"", items[index])) for index, times in uses.items() if index < len(items))
