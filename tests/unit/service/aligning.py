"""What the tests of alignments have in common."""

import pytest

from ingest_grpc.errors import IngestError
from ingest_grpc.service.settings import SettingsService
from tests.factories import MARKDOWN, Core


async def ready(core: Core, *texts: bytes) -> str:
    """A job that could start at once."""
    files = [await core.markdown(f"{number}.md", text) for number, text in enumerate(texts or (MARKDOWN + b"text\n",))]
    return (await core.create(*files)).job.job.job_id


async def refused(core: Core, job_id: str, **arguments: str) -> IngestError:
    before = await core.events(job_id)
    with pytest.raises(IngestError) as raised:
        await core.start_job(job_id, **arguments)  # type: ignore[arg-type]
    assert await core.events(job_id) == before, "a refused start leaves nothing behind"
    return raised.value


def settings_of(core: Core) -> SettingsService:
    return SettingsService(core.store, core.clock, core.board, core.jobs, purge_after_days=30.0)
