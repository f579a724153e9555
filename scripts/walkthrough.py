#!/usr/bin/env python3
"""One data job from its first document to its dataset, by the SDK alone; `scripts/walkthrough` runs it."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from ingest_grpc.client import Client
from ingest_grpc.client.dialects import render
from ingest_grpc.client.messages import FileRecord, Job, JobStatus, RecordStatus, TimelineEvent

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
DOCUMENTS = (
    "operations-handbook.pdf",
    "supplier-agreement.docx",
    "visitor-guide.html",
    "onboarding-checklist.md",
    "stock-count-draft.txt",  # no byte in it
    "payroll-summary.pdf",  # locked with a password
)
CORRECTED = b"Stock count, 30 June\n\nShelf A: 12 crates\nShelf B: 7 crates\n"
PROMPT = "You answer questions of new colleagues from the company's own papers."
COLOURS = {"COMPLETED": "green", "READY_TO_START": "green", "FAILED": "red", "NEEDS_REVIEW": "yellow"}
START_SECONDS = 60.0


class Walk:
    """Tells what is done, does it, and shows what came of it."""

    def __init__(self, client: Client, console: Console) -> None:
        self.client = client
        self.console = console
        self.job_id = ""
        self.sequence = 0
        self.steps = 0

    # ── telling ────────────────────────────────────────────────────────────────────────────────────────

    def step(self, title: str, code: str) -> None:
        """A heading, and the call that the step is about."""
        self.steps += 1
        self.console.print()
        self.console.rule(f"[bold]{self.steps}  {title}", align="left", style="dim")
        self.console.print(Syntax(code, "python", background_color="default"))

    def show_job(self, job: Job) -> None:
        """Its status in words, and everything that needs a hand."""
        line = Text("job ").append(job.job_id, style="dim").append("  ").append(coloured(status_of(job)))
        self.console.print(line.append(f"  {job.status_message}"))
        for reason in job.review_reasons:
            told = Text("  • ").append(f"{reason.filename}: " if reason.filename else "").append(reason.message)
            self.console.print(told.append(f"  → {reason.suggested_fix}", style="cyan"))

    def show_event(self, event: TimelineEvent) -> None:
        """One committed fact, with the moment of its commit."""
        moment = event.timestamp.ToDatetime()
        line = Text(f"{event.sequence:>3}  {moment:%H:%M:%S}.{moment.microsecond // 1_000:03}  ", style="dim")
        failed = event.record_change.record.status == RecordStatus.RECORD_STATUS_FAILED
        line.append(f"{event.title:<26}", style="red" if failed else "bold" if event.HasField("milestone") else "")
        self.console.print(line.append(event.message, style="" if failed else "dim"), overflow="ellipsis", no_wrap=True)

    def show_records(self, records: Sequence[FileRecord]) -> None:
        """Each file with its status, its times, and what to do where it failed."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for heading in ("file", "status", "waited", "took", "error, and what to do"):
            table.add_column(heading, overflow="fold")
        for record in records:
            ended = record.completed_at if record.HasField("completed_at") else record.failed_at
            queued, began = (moment.ToMicroseconds() for moment in (record.created_at, record.processing_at))
            told = Text(record.error.message)
            if record.error.suggested_fix:
                told.append(f" → {record.error.suggested_fix}", style="cyan")
            if record.superseded_by:
                told.append("  (resolved by a later file)", style="green")
            table.add_row(
                record.filename,
                coloured(RecordStatus.Name(record.status).removeprefix("RECORD_STATUS_")),
                f"{(began - queued) / 1e6:.2f} s",
                f"{(ended.ToMicroseconds() - began) / 1e6:.2f} s",
                told,
            )
        self.console.print(table)

    def show_json(self, value: object) -> None:
        """As a program would read it."""
        self.console.print(Syntax(json.dumps(value, indent=2), "json", background_color="default"))

    # ── doing ──────────────────────────────────────────────────────────────────────────────────────────

    def job(self) -> Job:
        return self.client.get_job(self.job_id).job

    def records(self) -> list[FileRecord]:
        return list(self.client.list_file_records(job_id=self.job_id))

    def watch(self, until: str) -> None:
        """Every event since the last one that was seen; the stream ends by itself and says why."""
        for message in self.client.watch(self.job_id, after_sequence=self.sequence, until=until):
            if message.HasField("event"):
                self.show_event(message.event)
            self.sequence = max(self.sequence, message.sequence)

    def create(self) -> None:
        self.step(
            "Create a data job and add its files",
            'job = client.create_job("Customer support refresh", job_type="PRINCIPLE_FILES")\n'
            "client.add_files(job.job_id, [client.upload(path) for path in paths])",
        )
        created = self.client.create_job(
            "Customer support refresh",
            job_type="PRINCIPLE_FILES",
            description="Prepare the papers for fine-tuning",
        )
        self.job_id = created.job.job_id
        files = [self.client.upload(EXAMPLES / name) for name in DOCUMENTS]
        added = self.client.add_files(self.job_id, files)
        for name, result in zip(DOCUMENTS, added.results, strict=True):
            skipped = "" if result.HasField("record_id") else "  Markdown: ready at once, no ingestion"
            self.console.print(f"  {name:<26}[dim]{result.file_id}[/dim]{skipped}")
        self.show_job(added.job)

    def follow(self) -> None:
        self.step(
            "Watch it: every transition, the moment it commits",
            "for message in client.watch(job_id, after_sequence=0):      # resumes by itself\n"
            "    print(message.event.sequence, message.event.title, message.event.message)",
        )
        self.watch("SETTLED")

    def read(self) -> None:
        self.step("Read the records", "for record in client.list_file_records(job_id=job_id): ...")
        self.show_records(self.records())
        self.step("Read the timeline: its milestones", 'render(client.get_job(job_id).job, "seekr")["timeline"]')
        self.show_json(render(self.job(), "seekr")["timeline"])
        self.step("Why is it not ready?", "client.get_job(job_id).job.review_reasons")
        self.show_job(self.job())

    def resolve(self) -> None:
        self.step(
            "Re-upload the corrected file: the same name resolves the failed record",
            'client.add_files(job_id, [client.upload(corrected, filename="stock-count-draft.txt")])',
        )
        corrected = self.client.upload(CORRECTED, filename="stock-count-draft.txt")
        self.client.add_files(self.job_id, [corrected])
        self.watch("SETTLED")
        self.step("Remove the file that cannot be corrected", "client.remove_files(job_id, record_ids=[record_id])")
        [locked] = [record for record in self.records() if record.filename == "payroll-summary.pdf"]
        self.client.remove_files(self.job_id, record_ids=[locked.record_id])
        self.watch("HEAD")
        self.show_job(self.job())
        self.step("Give it the system prompt that its type needs", "client.update_job(job_id, system_prompt=prompt)")
        self.client.update_job(self.job_id, system_prompt=PROMPT)
        self.watch("HEAD")
        self.show_records(self.records())
        self.show_job(self.job())

    def start(self) -> None:
        self.step(
            "Start it, exactly as reviewed, and watch it to the end",
            "client.start_job(job_id, expected_files_etag=job.files_etag)\n"
            'for message in client.watch(job_id, until="TERMINAL"): ...',
        )
        self.client.start_job(self.job_id, expected_files_etag=self.job().files_etag)
        self.watch("TERMINAL")

    def finish(self) -> None:
        job = self.job()
        self.step("What came of it", "client.read_text(job.alignment_job.output_file_ids[0])")
        self.show_job(job)
        for file in job.files:
            status = RecordStatus.Name(file.status).removeprefix("RECORD_STATUS_")
            origin = "from ingestion" if file.HasField("record_id") else "uploaded Markdown"
            line = Text(f"  {file.name:<26}").append(coloured(f"{status:<11}"))
            self.console.print(line.append(f"{origin:<19}{file.file_id}", style="dim"))
        alignment = job.alignment_job
        self.console.print(f"  dataset of {alignment.examples} examples; its first line:")
        first = self.client.read_text(alignment.output_file_ids[0]).splitlines()[0]
        self.show_json(json.loads(first))


def status_of(job: Job) -> str:
    """For example "NEEDS_REVIEW"."""
    return JobStatus.Name(job.status).removeprefix("JOB_STATUS_")


def coloured(status: str) -> Text:
    """A status as it stands in a line."""
    return Text(status, style=f"bold {COLOURS.get(status.strip(), 'blue')}")


def walk(client: Client, console: Console) -> None:
    """All steps; raises if the job does not end as it should."""
    walked = Walk(client, console)
    for part in (walked.create, walked.follow, walked.read, walked.resolve, walked.start, walked.finish):
        part()
    if status_of(walked.job()) != "COMPLETED":
        raise SystemExit("walkthrough: the job did not complete")


@contextmanager
def own_server(console: Console) -> Iterator[str]:
    """A server on a free port that keeps its data in a temporary folder; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="ingest-walkthrough-") as folder:
        ready, log = Path(folder) / "ready", Path(folder) / "server.log"
        command = [str(Path(sys.executable).with_name("ingest-grpc")), "serve", "--address", "127.0.0.1:0"]
        command += ["--data-dir", str(Path(folder) / "data"), "--ready-file", str(ready)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("INGEST_")}
        with log.open("wb") as output:
            server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not ready.exists():
                if server.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"walkthrough: the server did not start:\n{log.read_text()}")
                time.sleep(0.05)
            console.print(f"A server of its own listens on [bold]{ready.read_text().strip()}[/bold].")
            yield ready.read_text().strip()
        finally:
            server.terminate()
            server.wait(timeout=60)


def main() -> int:
    """Walks against a server that is given, or one of its own."""
    parser = argparse.ArgumentParser(prog="scripts/walkthrough", description=__doc__)
    parser.add_argument("--address", help="host:port of a server that runs (default: starts one and stops it)")
    address = parser.parse_args().address
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    if address is not None:
        with Client(address, api_key=os.environ.get("INGEST_API_KEY")) as client:
            walk(client, console)
        return 0
    with own_server(console) as own, Client(own) as client:
        walk(client, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
