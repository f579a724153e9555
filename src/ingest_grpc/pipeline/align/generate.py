"""Engine "generate": question and answer pairs that a model writes about each section.

Each finished section is kept (`Checkpoints`), so that a repeated attempt asks only about the rest.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import AlignmentEngine, AlignmentStep
from ingest_grpc.model import AlignmentTotals, SectionResult
from ingest_grpc.pipeline.align.chat import ChatEndpoint, Unusable
from ingest_grpc.pipeline.align.interface import AlignmentFailure, AlignmentTask, OnStanding, Standing
from ingest_grpc.pipeline.align.pairs import lines, messages, read_pairs
from ingest_grpc.pipeline.align.reading import SourceSection, off_loop, slices
from ingest_grpc.pipeline.align.writing import write_all

SPLIT_UNTIL, GENERATE_UNTIL = 5.0, 95.0
"""The progress of the whole at the end of each step; the rest is storing."""

USABLE_ATTEMPTS = 3
"""How often a model is asked about a section until its answer can be read."""

MAX_LOSSES = 20


class Generator:
    """See `interface.Aligner`. `connect` opens an endpoint; at most `concurrency` questions wait for it at once."""

    engine = AlignmentEngine.GENERATE

    def __init__(
        self,
        connect: Callable[[], AbstractAsyncContextManager[ChatEndpoint]],
        *,
        model: str,
        concurrency: int,
        max_section_characters: int,
    ) -> None:
        self._connect = connect
        self._model = model
        self._concurrency = concurrency
        self._max_section_characters = max_section_characters

    @property
    def version(self) -> str:
        return self._model

    async def align(self, task: AlignmentTask, output_fd: int, on_standing: OnStanding) -> AlignmentTotals:
        """Lines {messages, heading_path, source {file_id, filename, section}}, in the order of the sections."""
        total = await self._count(task, on_standing)
        if not total:
            raise AlignmentFailure(Reason.NOTHING_TO_ALIGN, f"{task.files_total} files without text")
        await self._generate(task, total, on_standing)
        totals = await _write(task, total, output_fd)
        if not totals.examples:
            raise AlignmentFailure(Reason.ALIGN_ANSWERS_UNUSABLE, f"{totals.sections_lost} of {total} sections lost")
        return totals

    async def _sections(self, task: AlignmentTask) -> AsyncGenerator[tuple[SourceSection, float], None]:
        """(section, share of the files that was read)."""
        files_done = 0
        async with aclosing(task.files()) as files:
            async for file in files:
                async with aclosing(slices(file, self._max_section_characters)) as parts:
                    async for part in parts:
                        for section in part.sections:
                            yield section, (files_done + part.read) / max(1, task.files_total)
                files_done += 1

    async def _count(self, task: AlignmentTask, on_standing: OnStanding) -> int:
        count = 0
        on_standing(Standing(AlignmentStep.SPLIT, 0.0, 0.0))
        async with aclosing(self._sections(task)) as sections:
            async for _, share in sections:
                count += 1
                share = min(1.0, share)
                on_standing(Standing(AlignmentStep.SPLIT, SPLIT_UNTIL * share, 100.0 * share))
        return count

    async def _generate(self, task: AlignmentTask, total: int, on_standing: OnStanding) -> None:
        """Asks about every section that has no result yet, several at a time."""
        slots = asyncio.Semaphore(self._concurrency)
        done = 0

        def alive(more: int = 0) -> None:
            nonlocal done
            done += more
            progress = SPLIT_UNTIL + (GENERATE_UNTIL - SPLIT_UNTIL) * done / total
            on_standing(Standing(AlignmentStep.GENERATE, progress, 100.0 * done / total))

        async def work(number: int, section: SourceSection, digest: str) -> None:
            try:
                await task.checkpoints.save(number, await self._ask(endpoint, task, section, digest, alive))
                alive(1)
            finally:
                slots.release()

        alive()
        number = 0
        try:
            async with (
                self._connect() as endpoint,
                aclosing(self._sections(task)) as sections,
                asyncio.TaskGroup() as group,
            ):
                async for section, _ in sections:
                    number += 1
                    digest = self._digest(task, section)
                    if await task.checkpoints.digest(number) == digest:
                        alive(1)
                        continue
                    await slots.acquire()
                    group.create_task(work(number, section, digest))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    def _digest(self, task: AlignmentTask, section: SourceSection) -> str:
        """Of all that the section's lines depend on."""
        asked = [self._model, task.system_prompt, messages(section, task.instructions), section.file_id, section.number]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    async def _ask(
        self,
        endpoint: ChatEndpoint,
        task: AlignmentTask,
        section: SourceSection,
        digest: str,
        on_alive: Callable[[], None],
    ) -> SectionResult:
        """The section's result; one without lines where the model gave no usable answer."""
        prompt_tokens = completion_tokens = 0
        problem = ""
        for _ in range(USABLE_ATTEMPTS):
            try:
                answer = await endpoint.ask(messages(section, task.instructions), on_alive)
                prompt_tokens += answer.prompt_tokens
                completion_tokens += answer.completion_tokens
                pairs = read_pairs(answer.text)
            except Unusable as unusable:
                problem = str(unusable)
                continue
            text = lines(section, pairs, task.system_prompt)
            return SectionResult(digest, text, len(pairs), "", prompt_tokens, completion_tokens)
        loss = f"{section.filename}, section {section.number}: {problem}"
        return SectionResult(digest, "", 0, loss, prompt_tokens, completion_tokens)


async def _write(task: AlignmentTask, total: int, fd: int) -> AlignmentTotals:
    """Streams the stored lines to the descriptor and adds up what they cost."""
    lost = examples = prompt_tokens = completion_tokens = 0
    losses: list[str] = []
    async with aclosing(task.checkpoints.results(total)) as results:
        async for result in results:
            await off_loop(partial(write_all, fd, result.lines))
            examples += result.examples
            prompt_tokens += result.prompt_tokens
            completion_tokens += result.completion_tokens
            if result.loss:
                lost += 1
                losses.append(result.loss)
    return AlignmentTotals(
        sections=total,
        sections_lost=lost,
        examples=examples,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        losses=tuple(losses[:MAX_LOSSES]),
    )
