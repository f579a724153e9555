"""What an operator does to a data folder: API keys, backup, restore and check. No server is asked.

What is imported here is public; the CLI imports nothing else of this package.
"""

from ingest_grpc.admin.backup import BackupReport, backup
from ingest_grpc.admin.check import CheckReport, check
from ingest_grpc.admin.errors import AdminError
from ingest_grpc.admin.keys import create_key, list_keys, revoke_key
from ingest_grpc.admin.restore import RestoreReport, restore

__all__ = [
    "AdminError",
    "BackupReport",
    "CheckReport",
    "RestoreReport",
    "backup",
    "check",
    "create_key",
    "list_keys",
    "restore",
    "revoke_key",
]
