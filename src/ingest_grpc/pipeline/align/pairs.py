"""Questions and answers: what is asked of a model about a section, and how its answer is read."""

import json
import re
from dataclasses import dataclass

from ingest_grpc.pipeline.align.chat import Unusable
from ingest_grpc.pipeline.align.reading import SourceSection
from ingest_grpc.pipeline.align.writing import line, source

TASK = """\
You write training data for a language model. The user gives you one section of a document. Write questions
that a reader could ask and that this section alone answers, each with its complete answer. Use only what the
section says. Answer with JSON and nothing else: {"pairs": [{"question": "…", "answer": "…"}]}. If the section
answers no question, answer {"pairs": []}."""

_FENCED = re.compile(r"\s*```[a-z]*\n(.*?)\n?```\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and its answer."""

    question: str
    answer: str


def messages(section: SourceSection, instructions: str) -> list[dict[str, str]]:
    """What the model is told."""
    task = f"{TASK}\n\nFollow these instructions as well:\n{instructions}" if instructions.strip() else TASK
    place = " > ".join(section.section.heading_path)
    text = f"Document: {section.filename}\nSection: {place}\n\n{section.section.text}"
    return [{"role": "system", "content": task}, {"role": "user", "content": text}]


def read_pairs(text: str) -> list[Pair]:
    """The pairs in a model's answer, also where it put them into a code fence. Raises Unusable."""
    fenced = _FENCED.fullmatch(text)
    try:
        found = json.loads(fenced[1] if fenced else text)
    except ValueError:
        raise Unusable("the answer is not JSON") from None
    pairs = found.get("pairs") if isinstance(found, dict) else found
    if not isinstance(pairs, list):
        raise Unusable("the answer has no pairs")
    return [_pair(each) for each in pairs]


def _pair(value: object) -> Pair:
    if isinstance(value, dict):
        question, answer = value.get("question"), value.get("answer")
        if isinstance(question, str) and isinstance(answer, str) and question.strip() and answer.strip():
            return Pair(question.strip(), answer.strip())
    raise Unusable("a pair lacks its question or its answer")


def lines(section: SourceSection, pairs: list[Pair], system_prompt: str) -> str:
    """The section's part of the dataset: one conversation per pair, in the form of chat fine-tuning."""
    prompt = [{"role": "system", "content": system_prompt}] if system_prompt else []
    return "".join(
        line(
            {
                "messages": [
                    *prompt,
                    {"role": "user", "content": pair.question},
                    {"role": "assistant", "content": pair.answer},
                ],
                "heading_path": section.section.heading_path,
                "source": source(section),
            }
        )
        for pair in pairs
    )
