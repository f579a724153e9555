from ingest_grpc.worker.lease import Leases
from tests.factories import Core, of_attempt


async def test_lease__is_held_until_it_expires(core: Core) -> None:
    await core.create(await core.upload())
    claim = await core.claim_one()
    leases = Leases(core.clock, 60.0)
    assert not leases.holds(claim)
    leases.hold(claim)
    core.clock.advance(59.0)
    assert leases.holds(claim)
    core.clock.advance(1.0)
    assert not leases.holds(claim)


async def test_lease__is_renewed_by_a_sign_of_life(core: Core) -> None:
    await core.create(await core.upload())
    claim = await core.claim_one()
    leases = Leases(core.clock, 60.0)
    leases.renew(claim)
    assert not leases.holds(claim), "a renewal takes no lease that nobody holds"
    leases.hold(claim)
    core.clock.advance(50.0)
    leases.renew(claim, more_seconds=100.0)
    core.clock.advance(159.0)
    assert leases.holds(claim)
    core.clock.advance(1.0)
    assert not leases.holds(claim)


async def test_lease__does_not_follow_the_wall_clock(core: Core) -> None:
    await core.create(await core.upload())
    claim = await core.claim_one()
    leases = Leases(core.clock, 60.0)
    leases.hold(claim)
    core.clock.jump(86_400)
    assert leases.holds(claim)
    core.clock.jump(-2 * 86_400)
    core.clock.advance(60.0)
    assert not leases.holds(claim)


async def test_lease__belongs_to_one_attempt(core: Core) -> None:
    """An old attempt that ends late must not touch the lease of the new one."""
    await core.create(await core.upload())
    old = await core.claim_one()
    new = of_attempt(old, old.record.attempt + 1)
    leases = Leases(core.clock, 60.0)
    leases.hold(old)
    leases.hold(new)
    assert (leases.holds(old), leases.holds(new)) == (False, True)
    leases.release(old)
    core.clock.advance(50.0)
    leases.renew(old)
    core.clock.advance(9.0)
    assert leases.holds(new)
    core.clock.advance(1.0)
    assert not leases.holds(new)
    leases.release(new)
    leases.release(new)
