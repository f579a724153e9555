"""Errors: the reasons, the catalogue with a row for each, and the exception that carries one.

Import any of the names below from here.
"""

from ingest_grpc.errors.catalogue import CATALOGUE
from ingest_grpc.errors.entry import Entry
from ingest_grpc.errors.failure import DOMAIN, IngestError, Precondition, Violation, invalid, quoted
from ingest_grpc.errors.reasons import Code, Reason

__all__ = [
    "CATALOGUE",
    "DOMAIN",
    "Code",
    "Entry",
    "IngestError",
    "Precondition",
    "Reason",
    "Violation",
    "invalid",
    "quoted",
]
