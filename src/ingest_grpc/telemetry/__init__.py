"""What the service tells of itself: logs, and metrics that are scraped or pushed.

Import logging from here and instruments from `telemetry.instruments`; the exporters belong to the composition root.
"""

from ingest_grpc.telemetry.logs import (
    JsonFormatter,
    TextFormatter,
    begin_call,
    call_facts,
    call_id,
    fields_of,
    note_call,
    setup_logging,
)

__all__ = [
    "JsonFormatter",
    "TextFormatter",
    "begin_call",
    "call_facts",
    "call_id",
    "fields_of",
    "note_call",
    "setup_logging",
]
