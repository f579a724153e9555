"""Caches of what many ask for, in the form in which it is sent."""

from dataclasses import dataclass
from typing import Self

from ingest_grpc.service.job_cache import JobReplies, ListedJobs
from ingest_grpc.store.interface import Store
from ingest_grpc.wire.jobs import get_job_reply, listed_job


@dataclass(frozen=True, slots=True)
class JobCaches:
    """What GetJob answers in the BASIC view, and what ListJobs shows."""

    replies: JobReplies
    listed: ListedJobs

    @classmethod
    def of(cls, store: Store) -> Self:
        return cls(JobReplies(store, get_job_reply), ListedJobs(listed_job))
