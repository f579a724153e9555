import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import AlignmentStep
from ingest_grpc.pipeline.align import chat
from ingest_grpc.pipeline.align.chat import ChatEndpoint
from ingest_grpc.pipeline.align.generate import Generator
from ingest_grpc.pipeline.align.interface import AlignmentFailure
from ingest_grpc.pipeline.endpoint import MAX_PAUSE_SECONDS, EndpointSettings
from tests.chat_server import Asked, ChatServer, Reply, completion, pairs
from tests.integration.align.engine_inputs import Bench
from tests.reaching import AN_ALIGNMENT, reaches

ATTEMPTS = 3


class Pauses:
    """What the client would have slept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with ChatServer() as server:
        yield server


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.add("a.md", "# A\none\n# B\ntwo\n")
    bench.add("b.md", "# C\nthree\n")
    return bench


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


def generator(
    server: ChatServer, pauses: Pauses, *, timeout_seconds: float = 10.0, concurrency: int = 2, url: str = ""
) -> Generator:
    settings = EndpointSettings(url or server.url, "test-model", "secret", timeout_seconds, ATTEMPTS)
    connect = partial(ChatEndpoint, settings, pause=pauses, rng=random.Random(1))
    return Generator(connect, model="test-model", concurrency=concurrency, max_section_characters=1_000)


def status(code: int, **headers: str) -> Reply:
    return Reply(code, b"{}", {name.replace("_", "-"): value for name, value in headers.items()})


async def failure(bench: Bench, engine: Generator) -> AlignmentFailure:
    with pytest.raises(AlignmentFailure) as raised:
        await bench.run(engine)
    return raised.value


async def test_generate__asks_about_every_section_and_keeps_their_order(
    bench: Bench, server: ChatServer, pauses: Pauses
) -> None:
    totals, lines = await bench.run(generator(server, pauses), "Be kind.", "Ask briefly.")
    assert [line["messages"][-1]["content"] for line in lines] == ["one", "two", "three"]
    assert [line["source"]["filename"] for line in lines] == ["a.md", "a.md", "b.md"]
    assert lines[0] == {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "What of one?"},
            {"role": "assistant", "content": "one"},
        ],
        "heading_path": ["A"],
        "source": {"file_id": "md-file-0", "filename": "a.md", "section": 1},
    }
    assert (totals.sections, totals.examples, totals.prompt_tokens, totals.completion_tokens) == (3, 3, 30, 15)
    asked = server.asked[0]
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer secret"
    assert asked.body["model"] == "test-model"
    assert "Ask briefly." in asked.body["messages"][0]["content"]


async def test_generate__progress_tells_the_steps(bench: Bench, server: ChatServer, pauses: Pauses) -> None:
    await bench.run(generator(server, pauses, concurrency=1))
    assert list(dict.fromkeys(standing.step for standing in bench.standings)) == [
        AlignmentStep.SPLIT,
        AlignmentStep.GENERATE,
    ]
    shares = [standing.progress for standing in bench.standings]
    assert shares == sorted(shares)
    assert (bench.standings[-1].progress, bench.standings[-1].step_progress) == (95.0, 100.0)


async def test_generate__asks_no_more_at_once_than_it_may(bench: Bench, server: ChatServer, pauses: Pauses) -> None:
    at_once, most = 0, 0
    both = asyncio.Event()

    async def together(asked: Asked) -> Reply:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        if at_once == 2:
            both.set()
        await both.wait()
        at_once -= 1
        return pairs(asked)

    server.script = together
    await bench.run(generator(server, pauses, concurrency=2))
    assert most == 2


# ── an endpoint that fails ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503])
async def test_passing_failure__is_tried_again(bench: Bench, server: ChatServer, pauses: Pauses, code: int) -> None:
    server.scripts = [lambda asked: status(code), lambda asked: status(code)]
    totals, _ = await bench.run(generator(server, pauses, concurrency=1))
    assert totals.examples == 3
    assert len(server.asked) == 5
    first, second = pauses.seconds
    assert 0.5 <= first <= 1.0
    assert 1.0 <= second <= 2.0


@pytest.mark.parametrize(("told", "seconds"), [("7", 7.0), ("600", MAX_PAUSE_SECONDS), ("soon", None)])
async def test_passing_failure__comes_back_when_it_is_told_to(
    bench: Bench, server: ChatServer, pauses: Pauses, told: str, seconds: float | None
) -> None:
    server.scripts = [lambda asked: status(429, retry_after=told)]
    await bench.run(generator(server, pauses, concurrency=1))
    assert pauses.seconds == [seconds] if seconds else pauses.seconds[0] <= 1.0


@reaches(
    Reason.ALIGN_ENDPOINT_UNAVAILABLE,
    AN_ALIGNMENT,
    "an endpoint that does not answer",
)
async def test_passing_failure__that_does_not_pass_fails_the_attempt(
    bench: Bench, server: ChatServer, pauses: Pauses
) -> None:
    server.script = lambda asked: status(503)
    failed = await failure(bench, generator(server, pauses, concurrency=1))
    assert (failed.reason, failed.detail) == (Reason.ALIGN_ENDPOINT_UNAVAILABLE, "HTTP 503, 3 times")
    assert len(server.asked) == ATTEMPTS
    assert len(pauses.seconds) == ATTEMPTS - 1


@reaches(Reason.ALIGN_ENDPOINT_REFUSED, AN_ALIGNMENT, "an endpoint that refuses the key, the model or the request")
@pytest.mark.parametrize("code", [400, 401, 404, 302])
async def test_refusal__ends_it_at_once(bench: Bench, server: ChatServer, pauses: Pauses, code: int) -> None:
    server.script = lambda asked: status(code)
    failed = await failure(bench, generator(server, pauses, concurrency=1))
    assert (failed.reason, failed.detail) == (Reason.ALIGN_ENDPOINT_REFUSED, f"HTTP {code}")
    assert pauses.seconds == []


async def test_timeout__of_an_endpoint_that_never_answers(bench: Bench, server: ChatServer, pauses: Pauses) -> None:
    server.script = lambda asked: Reply(hangs=True)
    failed = await failure(bench, generator(server, pauses, timeout_seconds=0.05))
    assert failed.reason is Reason.ALIGN_ENDPOINT_UNAVAILABLE
    assert "3 times" in failed.detail


async def test_connection__that_nobody_accepts(bench: Bench, server: ChatServer, pauses: Pauses) -> None:
    url = server.url
    await server.__aexit__()
    failed = await failure(bench, generator(server, pauses, url=url))
    assert (failed.reason, failed.detail) == (Reason.ALIGN_ENDPOINT_UNAVAILABLE, "ConnectError, 3 times")


async def test_connection__that_breaks_is_tried_again(bench: Bench, server: ChatServer, pauses: Pauses) -> None:
    async def broken(asked: Asked) -> Reply:
        raise ConnectionError

    server.scripts = [broken]
    totals, _ = await bench.run(generator(server, pauses, concurrency=1))
    assert totals.examples == 3
    assert len(pauses.seconds) == 1


# ── a model that answers something else ────────────────────────────────────────────────────────────────────

GARBAGE = {
    "no JSON": Reply(200, b"<html>"),
    "no choices": Reply(200, b'{"choices": []}'),
    "no text": Reply(200, b'{"choices": [{"message": {"content": null}}]}'),
    "no object": Reply(200, b"[]"),
    "not UTF-8": Reply(200, b"\xff\xfe"),
    "prose": completion("Sure! Here they are."),
    "half a pair": completion('{"pairs": [{"question": "q"}]}'),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_garbage__is_asked_for_again(bench: Bench, server: ChatServer, pauses: Pauses, garbage: Reply) -> None:
    server.scripts = [lambda asked: garbage, lambda asked: garbage]
    totals, _ = await bench.run(generator(server, pauses, concurrency=1))
    assert (totals.examples, totals.sections_lost) == (3, 0)
    assert len(server.asked) == 5


async def test_garbage__for_one_section_loses_that_section_and_says_so(
    bench: Bench, server: ChatServer, pauses: Pauses
) -> None:
    server.script = lambda asked: completion("Sorry.") if asked.section.endswith("two") else pairs(asked)
    totals, lines = await bench.run(generator(server, pauses))
    assert [line["source"]["section"] for line in lines] == [1, 1]
    assert (totals.sections, totals.examples, totals.sections_lost) == (3, 2, 1)
    assert totals.losses == ("a.md, section 2: the answer is not JSON",)
    assert totals.prompt_tokens == 50  # what was lost was paid for as well


@reaches(Reason.ALIGN_ANSWERS_UNUSABLE, AN_ALIGNMENT, "a model that gives no usable answer for any section")
async def test_garbage__for_every_section_fails_it(bench: Bench, server: ChatServer, pauses: Pauses) -> None:
    server.script = lambda asked: completion("Sorry.")
    failed = await failure(bench, generator(server, pauses))
    assert (failed.reason, failed.detail) == (Reason.ALIGN_ANSWERS_UNUSABLE, "3 of 3 sections lost")


async def test_answer__that_is_too_long_is_not_read_to_its_end(
    bench: Bench, server: ChatServer, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "MAX_ANSWER_BYTES", 1_000)
    server.script = lambda asked: completion("x" * 2_000)
    assert (await failure(bench, generator(server, pauses))).reason is Reason.ALIGN_ANSWERS_UNUSABLE


async def test_usage__that_is_missing_or_nonsense_counts_nothing(
    bench: Bench, server: ChatServer, pauses: Pauses
) -> None:
    answer = {"choices": [{"message": {"content": '{"pairs": [{"question": "q", "answer": "a"}]}'}}]}

    def told(_asked: Asked, usage: object) -> Reply:
        return Reply(200, json.dumps({**answer, "usage": usage}).encode())

    usages = (None, {"prompt_tokens": -1}, {"prompt_tokens": "7", "completion_tokens": 2})
    server.scripts = [partial(told, usage=usage) for usage in usages]
    totals, _ = await bench.run(generator(server, pauses, concurrency=1))
    assert (totals.prompt_tokens, totals.completion_tokens) == (0, 2)


# ── going on where an attempt ended ────────────────────────────────────────────────────────────────────────


async def test_resume__asks_only_about_what_is_left(bench: Bench, server: ChatServer, pauses: Pauses) -> None:
    server.scripts = [pairs, pairs, *[lambda asked: status(503)] * ATTEMPTS]
    await failure(bench, generator(server, pauses, concurrency=1))
    assert sorted(bench.checkpoints.kept) == [1, 2]
    server.asked.clear()
    totals, lines = await bench.run(generator(server, pauses, concurrency=1))
    assert [asked.section.splitlines()[-1] for asked in server.asked] == ["three"]
    assert len(lines) == 3
    assert totals.prompt_tokens == 30, "tokens of earlier attempts count"


async def test_resume__asks_again_where_anything_it_depends_on_changed(
    bench: Bench, server: ChatServer, pauses: Pauses
) -> None:
    await bench.run(generator(server, pauses))
    for task in ({"instructions": "other"}, {"system_prompt": "other"}):
        server.asked.clear()
        await bench.run(generator(server, pauses), **task)
        assert len(server.asked) == 3
    server.asked.clear()
    await bench.run(generator(server, pauses), system_prompt="other")
    assert server.asked == []


async def test_failure_of_the_ledger__ends_all_that_is_asked(bench: Bench, server: ChatServer, pauses: Pauses) -> None:
    bench.checkpoints.fail_after = 1
    with pytest.raises(ConnectionError):
        await bench.run(generator(server, pauses))


async def test_cancel__stops_while_the_endpoint_is_silent(bench: Bench, server: ChatServer, pauses: Pauses) -> None:
    server.script = lambda asked: Reply(hangs=True)
    task = asyncio.create_task(bench.run(generator(server, pauses)))
    await server.arrived.wait()
    task.cancel()
    async with asyncio.timeout(1.0):
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_generate__of_files_without_text(tmp_path: Path, server: ChatServer, pauses: Pauses) -> None:
    bench = Bench(tmp_path)
    bench.add("a.md", "# Heading\n")
    assert (await failure(bench, generator(server, pauses))).reason is Reason.NOTHING_TO_ALIGN
    assert server.asked == []


async def test_sections__longer_than_a_question_may_be_are_cut(
    tmp_path: Path, server: ChatServer, pauses: Pauses
) -> None:
    bench = Bench(tmp_path)
    bench.add("a.md", "# A\n" + "".join(f"{number:099}\n" for number in range(25)))
    await bench.run(generator(server, pauses))
    lengths = Counter(len(asked.section) for asked in server.asked)
    assert sum(lengths.values()) == 3
    assert max(lengths) < 1_100
