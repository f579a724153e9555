"""Many jobs as a watcher knows them: the messages of a watch over all jobs, folded into the present."""

from ingest_grpc.client.messages import Job, TimelineEvent, WatchJobsResponse


class JobsState:
    """Every job that passes the filter of a watch, after the messages applied so far.

    A snapshot brings what there is, and what it does not bring is gone. A job may already be newer than the events
    that follow it, so an event counts only if its sequence is greater than the job's last_sequence.

        state = JobsState()
        async for message in client.watch_jobs(labels={"tenant": "acme"}):
            state.apply(message)
            print(len(state.jobs))

    `jobs` are in the BASIC view, by id. Their record counts are those of their last job event or milestone.
    `synced` says that the first snapshot is complete; `resume_token` is what a later watch goes on with.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.synced = False
        self.resume_token = ""
        self._unconfirmed: set[str] = set()

    def apply(self, message: WatchJobsResponse) -> None:
        """Take in the next message of a watch."""
        match message.WhichOneof("message"):
            case "snapshot":
                self._unconfirmed = set(self.jobs)
            case "job":
                self._take(message.job)
            case "synced":
                for job_id in self._unconfirmed:
                    self.jobs.pop(job_id, None)
                self._unconfirmed = set()
                self.synced = True
            case "event":
                self._apply_event(message.event)
            case "job_removed":
                self.jobs.pop(message.job_removed.job_id, None)
            case _:
                pass
        self.resume_token = message.resume_token or self.resume_token

    def _take(self, job: Job) -> None:
        self._unconfirmed.discard(job.job_id)
        self.jobs[job.job_id] = job

    def _apply_event(self, event: TimelineEvent) -> None:
        known = self.jobs.get(event.job_id)
        if known is None or event.sequence <= known.last_sequence:
            return
        job = Job()
        job.CopyFrom(known)
        if event.WhichOneof("change") == "job_change":
            job.CopyFrom(event.job_change.job)
            _keep_texts(job, known)
        job.last_sequence = max(job.last_sequence, event.sequence)
        self.jobs[event.job_id] = job


def _keep_texts(job: Job, known: Job) -> None:
    """What an event leaves out was not changed by it: an update brings the whole job."""
    job.description, job.system_prompt, job.instructions = known.description, known.system_prompt, known.instructions
    job.labels.update(known.labels)
