"""What a backup says of itself: `manifest.json` beside its ledger and its blobs."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ingest_grpc.admin.errors import AdminError

FORMAT = 1
MANIFEST = "manifest.json"
LEDGER = "ledger.sqlite3"


class Manifest(BaseModel):
    """`created_at` is in UTC microseconds; `blobs` and `blob_bytes` count what lies in the backup itself.

    `with_blobs` is False if the bytes of files stay in an object store. `missing_blobs` are keys that the
    ledger names and that were missing when the backup was made.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = FORMAT
    version: str
    created_at: int
    ledger_id: str
    ledger_sha256: str
    jobs: int
    records: int
    files: int
    with_blobs: bool
    blobs: int
    blob_bytes: int
    missing_blobs: tuple[str, ...] = ()


def read_manifest(backup: Path) -> Manifest:
    """The manifest of a backup. Raises AdminError if there is none, or one that this version cannot read."""
    try:
        manifest = Manifest.model_validate_json((backup / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise AdminError(
            f"{backup} is no backup: it has no {MANIFEST}.", "Name a folder that 'ingest-grpc admin backup' made."
        ) from None
    except ValidationError as error:
        raise AdminError(f"The manifest of {backup} is damaged: {error}.", "Use another backup.") from error
    if manifest.format != FORMAT:
        raise AdminError(
            f"{backup} has format {manifest.format}, this version reads {FORMAT}.", "Use the newer ingest-grpc."
        )
    return manifest
