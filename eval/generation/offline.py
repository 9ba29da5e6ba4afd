"""Replies of one model to the test prompts, by vLLM offline.

    python -m eval.generation.offline request.json

One process a model: vLLM gives its memory back only when its process ends. Replies are written block by block, so that
a killed run goes on where it was.
"""

import sys
from pathlib import Path

from transformers import AutoTokenizer

from common.records.replies import Reply, append_replies
from eval.generation.request import GenerationRequest, open_questions


def generate(request: GenerationRequest) -> None:
    """Write the replies that are not there yet."""
    todo = open_questions(request)
    if todo.empty:
        return
    from vllm import LLM, SamplingParams, TokensPrompt  # only now: its import takes seconds

    tokenizer = AutoTokenizer.from_pretrained(request.model, trust_remote_code=False)
    engine = LLM(model=request.model, seed=request.seed, trust_remote_code=False, **request.engine)
    sampling = SamplingParams(n=request.samples, **request.sampling)
    rows = todo.to_dict("records")
    for start in range(0, len(rows), request.block):
        block = rows[start : start + request.block]
        prompts = [TokensPrompt(prompt_token_ids=request.prompt_ids(tokenizer, row)) for row in block]
        outputs = engine.generate(prompts, sampling, use_tqdm=True)
        append_replies(
            Path(request.replies),
            (
                Reply(
                    row["id"],
                    sample,
                    reply.text,
                    len(output.prompt_token_ids or []),
                    len(reply.token_ids),
                    reply.finish_reason == "stop",
                    reply.finish_reason or "",
                )
                for row, output in zip(block, outputs, strict=True)
                for sample, reply in enumerate(output.outputs)
            ),
        )


if __name__ == "__main__":
    generate(GenerationRequest.read(Path(sys.argv[1])))
