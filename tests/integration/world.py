"""A small world for calls that must be refused: two teams, their keys, and a job of each."""

from dataclasses import dataclass

import grpc.aio

from ingest_grpc.model import Scope
from ingest_grpc.v1.job_service_pb2 import ListJobsRequest
from tests.integration.errors.knowledge_states import KnowledgeStates, build_knowledge
from tests.integration.errors.states import States, build_compacted, build_states
from tests.integration.serving import Server
from tests.integration.team import Team


@dataclass(frozen=True)
class World:
    """What the requests of the table may name. `ours` is the caller's, `theirs` another team's.

    Our job has a finished record (`record_id`), a queued one (its output is `pending_output_id`), and Markdown.
    """

    server: Server
    key: str
    read_key: str
    revoked_key: str
    their_key: str
    job_id: str
    file_id: str
    record_id: str
    ingestion_job_id: str
    pending_output_id: str
    markdown_id: str
    unused_file_ids: tuple[str, ...]
    head: int
    their_job_id: str
    their_file_id: str
    their_ingestion_job_id: str
    their_page_token: str
    states: States
    knowledge: KnowledgeStates

    @property
    def channel(self) -> grpc.aio.Channel:
        return self.server.channel


async def build_world(server: Server) -> World:
    """Makes the world over the wire, as any caller would."""
    keys = server.app.keys
    _, key = await keys.create("ours", "alice", [Scope.WRITE])
    _, read_key = await keys.create("ours", "reader", [Scope.READ])
    revoked, revoked_key = await keys.create("ours", "mallory", [Scope.WRITE])
    assert await keys.revoke(revoked.key_id)
    _, their_key = await keys.create("theirs", "bob", [Scope.WRITE])
    ours, theirs = Team(server, key), Team(server, their_key)
    compacted = await build_compacted(server, ours)

    file_id, markdown_id = await ours.upload("a.pdf"), await ours.upload("notes.md")
    job = await ours.create(file_id, await ours.upload("queued.pdf"), markdown_id)
    their_file_id = await theirs.upload("theirs.pdf")
    await theirs.create()
    their_job = await theirs.create(their_file_id)
    [claim] = await server.claim()
    await server.succeed(claim)
    job = await ours.job(job.job_id)
    done, pending = job.ingestion_jobs[0].records
    return World(
        server=server,
        key=key,
        read_key=read_key,
        revoked_key=revoked_key,
        their_key=their_key,
        job_id=job.job_id,
        file_id=file_id,
        record_id=done.record_id,
        ingestion_job_id=done.ingestion_job_id,
        pending_output_id=pending.output_file_id,
        markdown_id=markdown_id,
        unused_file_ids=tuple([await ours.upload(f"unused-{number}.pdf") for number in range(5)]),
        head=job.last_sequence,
        their_job_id=their_job.job_id,
        their_file_id=their_file_id,
        their_ingestion_job_id=their_job.ingestion_jobs[0].ingestion_job_id,
        their_page_token=(await theirs.call("JobService/ListJobs", ListJobsRequest(page_size=1))).next_page_token,
        states=await build_states(ours, compacted),
        knowledge=await build_knowledge(ours),
    )
