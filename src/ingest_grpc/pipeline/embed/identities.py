"""Names of models by what they are made of: a new release of a library with the same weights is the same model."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

DIGEST_CHARACTERS = 12


def digest(files: Iterable[Path]) -> str:
    """Of the bytes of the files, in their order. Blocks."""
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:DIGEST_CHARACTERS]
