"""What a check says of jobs whose purge has begun: nothing, as their rows go in slices."""

import pytest

from ingest_grpc.admin import check
from ingest_grpc.store.interface import WriteUnit
from tests.factories import ALICE, Core


class _Killed(BaseException):
    """What no round of a background loop goes on after."""


@pytest.mark.parametrize("slices", range(1, 12))
async def test_check__of_a_half_purged_job(core: Core, monkeypatch: pytest.MonkeyPatch, slices: int) -> None:
    monkeypatch.setattr("ingest_grpc.worker.janitor.ROWS_PER_SLICE", 1)
    job_id = (await core.create(*await core.uploads(2), await core.markdown())).job.job.job_id
    await core.fail(await core.claim_one())
    await core.job_settings.delete(ALICE, job_id, "", None)
    core.clock.advance(31 * 86_400.0)
    write, left = core.store.write, slices

    async def write_some(unit: WriteUnit[object]) -> object:
        nonlocal left
        done = await write(unit)
        left -= 1
        if not left:
            raise _Killed
        return done

    with monkeypatch.context() as patched:
        patched.setattr(core.store, "write", write_some)
        with pytest.raises(_Killed):
            await core.janitor.step()
    assert await core.store.read(lambda rows: rows.job(ALICE.team_id, job_id)) is None
    assert (await check(core.settings)).problems == []
    await core.janitor.step()
    assert (await check(core.settings)).problems == []
