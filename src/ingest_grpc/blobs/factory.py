"""Which blob store the settings ask for."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.blobs.local import LocalBlobs
from ingest_grpc.blobs.objects import ObjectBlobs
from ingest_grpc.config import Settings, WrongSetting

BLOBS_FOLDER = "blobs"
"""Where a data folder, and a backup, keeps its blobs."""


def open_blobs(settings: Settings) -> Blobs:
    """The blob store of `settings.blobs_url`; unset or a file:// URL is a local folder. Not yet started.

    A local folder never goes through obstore, which does not fsync. Raises WrongSetting for a URL that names no store.
    """
    if (folder := local_folder(settings)) is not None:
        return LocalBlobs(folder)
    assert settings.blobs_url is not None, "without a URL the blobs are local"
    try:
        return ObjectBlobs.from_url(settings.blobs_url)
    except (BaseError, ValueError) as error:
        told = str(error).partition("\n")[0]  # what follows is for the developers of obstore
        raise WrongSetting(f"blobs_url: {settings.blobs_url!r} names no object store: {told}") from error


def local_folder(settings: Settings) -> Path | None:
    """The folder of local blobs; None for an object store."""
    if settings.blobs_url is None:
        return settings.data_dir / BLOBS_FOLDER
    url = urlsplit(settings.blobs_url)
    return Path(unquote(url.path)) if url.scheme == "file" else None
