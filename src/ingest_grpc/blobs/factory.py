"""Which blob store the settings ask for."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.blobs.local import LocalBlobs
from ingest_grpc.blobs.objects import ObjectBlobs
from ingest_grpc.config import Settings


def open_blobs(settings: Settings) -> Blobs:
    """The blob store of `settings.blobs_url`; unset or a file:// URL is a local folder. Not yet started.

    A local folder never goes through obstore, which does not fsync. Raises obstore's error for a URL of
    an unknown scheme.
    """
    if settings.blobs_url is None:
        return LocalBlobs(settings.data_dir / "blobs")
    url = urlsplit(settings.blobs_url)
    if url.scheme == "file":
        return LocalBlobs(Path(unquote(url.path)))
    return ObjectBlobs.from_url(settings.blobs_url)
