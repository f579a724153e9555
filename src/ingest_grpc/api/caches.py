"""Caches of what many ask for, in the form in which it is sent."""

from dataclasses import dataclass
from typing import Self

from ingest_grpc.service.job_cache import JobReplies, ListedJobs, Replies
from ingest_grpc.store.interface import Commit, Store
from ingest_grpc.wire.jobs import get_job_reply, listed_job


@dataclass(frozen=True, slots=True)
class JobCaches:
    """What GetJob answers in the BASIC view, pages of ListJobs, and the jobs that they show."""

    replies: JobReplies
    pages: Replies
    listed: ListedJobs

    @classmethod
    def of(cls, store: Store) -> Self:
        return cls(JobReplies(store, get_job_reply), Replies(), ListedJobs(listed_job))

    def changed(self, commit: Commit) -> None:
        """To be told of every commit before anybody hears of it."""
        self.replies.changed(commit.jobs)
        self.pages.changed(commit.lists)
