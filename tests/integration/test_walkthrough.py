"""scripts/walkthrough: what it shows is what happens, on a server like any other."""

import re
import subprocess
import sys
from pathlib import Path

from tests.integration.cli.servers import running_server
from tests.integration.documentation import ROOT

IN_ORDER = [
    "Markdown: ready at once, no ingestion",
    "Data job created.",
    "Started processing files.",
    "The file appears to be empty.",
    "Finished processing files.",
    "→ Upload a file with content.",
    '"event_type": "File Processing Completed"',
    "NEEDS_REVIEW",
    "The job has no system prompt, which its type needs.",
    "→ Upload a valid, unprotected PDF.",
    "stock-count-draft.txt was resolved by a corrected upload.",
    "payroll-summary.pdf was removed.",
    "The job's system_prompt changed.",
    "(resolved by a later file)",
    "READY_TO_START",
    "The job was started.",
    "The dataset is there.",
    "COMPLETED",
    '"system_prompt": "You answer questions',
]


def test_walkthrough__shows_a_job_from_its_documents_to_its_dataset(tmp_path: Path) -> None:
    with running_server(tmp_path / "server", "--workers", "1") as server:
        done = subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "walkthrough.py"), "--address", server.address],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    place = 0
    for text in IN_ORDER:
        place = done.stdout.find(text, place)
        assert place >= 0, f"{text!r} does not come, or not in this order:\n{done.stdout}"
    sequences = [int(found) for found in re.findall(r"^ *(\d+)  \d\d:\d\d:\d\d", done.stdout, re.MULTILINE)]
    assert sequences == list(range(1, len(sequences) + 1)), "every event once, over all its watches"
