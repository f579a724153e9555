"""What counts for a team before it is a file."""

from collections.abc import AsyncIterator

from ingest_grpc.errors import Reason
from ingest_grpc.model import NewFile
from tests.factories import ALICE, BOB, StartCore, chunks_of, request
from tests.unit.service.test_files import reason_of


async def test_upload__its_bytes_count_for_the_team_while_they_come(start_core: StartCore) -> None:
    """Many streams at once could otherwise hold far more than a team may store."""
    core = await start_core(team_max_bytes=10)
    new = NewFile(filename="a", content_type="x/y")

    async def slow() -> AsyncIterator[bytes]:
        yield b"12345678"
        assert await reason_of(core.files.upload(ALICE, new, chunks_of(b"abc"), None)) is Reason.TEAM_STORAGE_FULL
        await core.files.upload(BOB, new, chunks_of(b"abc"), None)
        yield b"9!"

    whole = (await core.files.upload(ALICE, new, slow(), request("once"))).value
    assert whole.size_bytes == 10
    again = await core.files.upload(ALICE, new, chunks_of(b"123456789!"), request("once"))
    assert again.replayed, "what is stored does not stand in the way of a repeated call"
    assert await reason_of(core.files.upload(ALICE, new, chunks_of(b"x"), None)) is Reason.TEAM_STORAGE_FULL
