"""Engine "assemble": one line per section, as it stands. Needs no model and makes the same of the same."""

from contextlib import aclosing
from functools import partial

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import AlignmentEngine, AlignmentStep
from ingest_grpc.model import AlignmentTotals
from ingest_grpc.pipeline.align.interface import AlignmentFailure, AlignmentTask, OnStanding, Standing
from ingest_grpc.pipeline.align.reading import SourceSection, off_loop, slices
from ingest_grpc.pipeline.align.writing import line, source, write_all

MAX_SECTION_CHARACTERS = 1 << 20
VERSION = "1"
DONE = 95.0
"""The progress of the whole once everything is written; the rest is storing it."""


class Assembler:
    """See `interface.Aligner`."""

    engine = AlignmentEngine.ASSEMBLE
    version = VERSION

    async def align(self, task: AlignmentTask, output_fd: int, on_standing: OnStanding) -> AlignmentTotals:
        """Lines {system_prompt, heading_path, text, source {file_id, filename, section}}, in the order of the files."""
        count = files_done = 0
        on_standing(_standing(0.0))
        async with aclosing(task.files()) as files:
            async for file in files:
                async with aclosing(slices(file, MAX_SECTION_CHARACTERS)) as parts:
                    async for part in parts:
                        await off_loop(partial(_write, output_fd, task.system_prompt, part.sections))
                        count += len(part.sections)
                        on_standing(_standing((files_done + part.read) / max(1, task.files_total)))
                files_done += 1
        if not count:
            raise AlignmentFailure(Reason.NOTHING_TO_ALIGN, f"{files_done} files without text")
        return AlignmentTotals(sections=count, examples=count)


def _standing(share: float) -> Standing:
    share = min(1.0, share)
    return Standing(AlignmentStep.SPLIT, DONE * share, 100.0 * share)


def _write(fd: int, system_prompt: str, sections: list[SourceSection]) -> None:
    lines = (
        line(
            {
                "system_prompt": system_prompt,
                "heading_path": each.section.heading_path,
                "text": each.section.text,
                "source": source(each),
            }
        )
        for each in sections
    )
    write_all(fd, "".join(lines))
