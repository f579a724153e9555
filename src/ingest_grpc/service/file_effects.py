"""What calls about files did, as it is kept for their request ids."""

from pydantic import BaseModel


class FileEffect(BaseModel):
    """Which file a call made or changed."""

    file_id: str


class DeleteEffect(BaseModel):
    """What a DeleteFile call did."""

    file_id: str
    job_ids: tuple[str, ...] = ()
