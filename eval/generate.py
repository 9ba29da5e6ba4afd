"""Replies of one model to the test prompts, by vLLM offline.

    python -m eval.generate request.json

One process a model: vLLM gives its memory back only when its process ends. Replies are written question by question,
so that a killed run goes on where it was.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
from transformers import AutoTokenizer


@dataclass(frozen=True)
class GenerationRequest:
    """What is to be generated.

    Attributes:
        model: a Hugging Face folder or id.
        test: ``test.parquet`` of `make data`.
        replies: the JSON Lines file to write: question_id, sample, text, prompt_tokens, tokens, finished.
        samples: replies to each question.
        temperature: of sampling.
        max_tokens: longest reply, in tokens.
        seed: of the engine; a seed of the request itself kills vLLM's CPU engine.
        chat_template_kwargs: for the tokenizer's chat template, as in training.
        engine: arguments of vLLM's engine.
        block: questions generated, and written, together.
    """

    model: str
    test: str
    replies: str
    samples: int
    temperature: float
    max_tokens: int
    seed: int
    chat_template_kwargs: dict[str, Any]
    engine: dict[str, Any]
    block: int = 64


def prompt_ids(tokenizer: Any, messages: list[dict[str, str]], kwargs: Mapping[str, Any]) -> list[int]:
    """The prompt's token ids by the chat template, as verl builds them."""
    encoded = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, **kwargs)
    ids: list[int] = encoded["input_ids"] if isinstance(encoded, Mapping) else encoded
    return ids


def generate(request: GenerationRequest) -> None:
    """Write the replies that are not there yet."""
    replies = Path(request.replies)
    test = pd.read_parquet(request.test)
    done = set(_finished_questions(replies, request.samples))
    todo = test[~test["id"].isin(done)]
    if todo.empty:
        return
    from vllm import LLM, SamplingParams, TokensPrompt  # only now: its import takes seconds

    tokenizer = AutoTokenizer.from_pretrained(request.model, trust_remote_code=False)
    engine = LLM(model=request.model, seed=request.seed, trust_remote_code=False, **request.engine)
    sampling = SamplingParams(n=request.samples, temperature=request.temperature, max_tokens=request.max_tokens)
    for start in range(0, len(todo), request.block):
        block = todo.iloc[start : start + request.block]
        ids = [prompt_ids(tokenizer, list(messages), request.chat_template_kwargs) for messages in block["prompt"]]
        outputs = engine.generate([TokensPrompt(prompt_token_ids=x) for x in ids], sampling, use_tqdm=True)
        with replies.open("a", encoding="utf-8") as file:
            for question_id, output in zip(block["id"], outputs, strict=True):
                for sample, reply in enumerate(output.outputs):
                    record = {
                        "question_id": question_id,
                        "sample": sample,
                        "text": reply.text,
                        "prompt_tokens": len(output.prompt_token_ids or []),
                        "tokens": len(reply.token_ids),
                        "finished": reply.finish_reason == "stop",
                    }
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _finished_questions(replies: Path, samples: int) -> Iterator[str]:
    """Questions all of whose replies are there; the file is cut back to them first."""
    if not replies.is_file():
        return
    lines = replies.read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    counts = pd.Series([record["question_id"] for record in records], dtype=object).value_counts()
    complete = set(counts[counts == samples].index)
    kept = [json.dumps(record, ensure_ascii=False) + "\n" for record in records if record["question_id"] in complete]
    partial = replies.with_name(f".{replies.name}.partial")
    partial.write_text("".join(kept), encoding="utf-8")
    partial.replace(replies)
    yield from complete


if __name__ == "__main__":
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    generate(GenerationRequest(**{field.name: content[field.name] for field in fields(GenerationRequest)}))
