"""A started job that is grounded in a knowledge base: its dataset is made of what is found there."""

import json

from ingest_grpc.v1 import file_service_pb2 as files
from ingest_grpc.v1 import job_service_pb2 as jobs
from ingest_grpc.v1.job_pb2 import Job, JobStatus, JobType
from tests.integration.knowledge.library import TEXTS, Library


async def started(library: Library) -> Job:
    """A job without files of its own, started and run to its end."""
    request = jobs.CreateJobRequest(
        name="grounded", job_type=JobType.JOB_TYPE_CONTEXT_GROUNDED_VECTOR_DB, knowledge_base_id=library.id
    )
    job = (await library.server.jobs.CreateJob(request)).job
    assert job.status == JobStatus.JOB_STATUS_READY_TO_START
    return await library.settled((await library.server.jobs.StartJob(jobs.StartJobRequest(job_id=job.job_id))).job)


async def sources(library: Library, job: Job) -> list[str]:
    """Names of the files that the job's dataset was made of."""
    [output] = job.alignment_job.output_file_ids
    data = (await library.server.files.ReadFile(files.ReadFileRequest(file_id=output))).data
    return sorted({json.loads(line)["source"]["filename"] for line in data.splitlines()})


async def test_start__aligns_the_documents_of_the_knowledge_base(library: Library) -> None:
    library.fill()
    await library.add_source()

    job = await started(library)

    assert job.status == JobStatus.JOB_STATUS_COMPLETED
    assert len(await sources(library, job)) == len(TEXTS)


async def test_start__leaves_out_what_left_the_knowledge_base(library: Library) -> None:
    library.fill()
    await library.add_source()
    library.delete("mountain.html")
    await library.sync()

    found = await sources(library, await started(library))

    assert len(found) == len(TEXTS) - 1
    assert not any("mountain" in name for name in found)
