"""The stored pictures of a document: files beside its output, which come in the same transaction and go with it.

They are outputs of the service with ids of their own; `File.image_of` names the output whose Markdown shows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest_grpc.blobs.interface import StoredBlob
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.model import File, FileKind, FileRecord
from ingest_grpc.service.ledger import JobLedger


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A picture whose bytes are durable, under the name that the Markdown has for it."""

    blob: StoredBlob
    filename: str
    content_type: str


async def insert_images(ledger: JobLedger, record: FileRecord, images: Sequence[StoredImage]) -> tuple[str, ...]:
    """The files of a record's pictures; returns their ids."""
    files = [
        File(
            blob_key=image.blob.key,
            file_id=new_id(Prefix.FILE),
            kind=FileKind.OUTPUT,
            filename=image.filename,
            content_type=image.content_type,
            size_bytes=image.blob.size_bytes,
            sha256=image.blob.sha256,
            user_id=record.user_id,
            team_id=record.team_id,
            created_at=ledger.now,
            image_of=record.output_file_id,
        )
        for image in images
    ]
    for file in files:
        await ledger.tx.insert_file(file, shareable=False)
    return tuple(file.file_id for file in files)


async def share_images(ledger: JobLedger, record: FileRecord, earlier: FileRecord) -> tuple[str, ...]:
    """Other names of the pictures beside an earlier output, for a record whose Markdown is the same; their ids."""
    ids = []
    for file_id in earlier.image_file_ids:
        shared = await ledger.tx.file(record.team_id, file_id)
        if shared is None or shared.deleted_at is not None:
            continue  # deleted by itself
        own = {
            "file_id": new_id(Prefix.FILE),
            "user_id": record.user_id,
            "created_at": ledger.now,
            "image_of": record.output_file_id,
            "metadata": {},
            "expires_at": None,
        }
        ids.append(own["file_id"])
        await ledger.tx.share_output(shared.model_copy(update=own), shared)
    return tuple(map(str, ids))
