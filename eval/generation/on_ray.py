"""Replies of one model to the test prompts on more than one machine, by Ray Data's batch inference with vLLM.

    python -m eval.generation.on_ray request.json

Runs on the Ray cluster that ``RAY_ADDRESS`` names, or on this machine alone. The same prompts, sampling and file as of
`eval.generation.offline`; with greedy sampling the same replies. The model's folder has to be at the same path on
every node.
"""

import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import ray
from ray.data.llm import build_processor, vLLMEngineProcessorConfig
from tqdm import tqdm
from transformers import AutoTokenizer

from common.records.replies import Reply, append_replies
from eval.generation.request import GenerationRequest, open_questions


def generate(request: GenerationRequest) -> None:
    """Write the replies that are not there yet."""
    todo = open_questions(request)
    if todo.empty:
        return
    tokenizer = AutoTokenizer.from_pretrained(request.model, trust_remote_code=False)
    rows = todo.to_dict("records")
    ray.init(ignore_reinit_error=True, include_dashboard=False)
    config = vLLMEngineProcessorConfig(
        model_source=request.model,
        engine_kwargs={"seed": request.seed, "trust_remote_code": False, **request.engine},
        concurrency=request.replicas or 1,
        batch_size=request.block,
        placement_group_config={"bundle_per_worker": request.bundle},
        # The prompts come as tokens, made as everywhere else.
        chat_template_stage=False,
        tokenize_stage=False,
        detokenize_stage=False,
        log_engine_metrics=False,
    )

    def ask(row: Mapping[str, Any]) -> dict[str, Any]:
        return {**row, "tokenized_prompt": row["tokens"], "sampling_params": {"detokenize": True, **request.sampling}}

    def answer(row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "text": row["generated_text"],
            "prompt_tokens": row["num_input_tokens"],
            "tokens": row["num_generated_tokens"],
            "finished": row.get("finish_reason") == "stop",
            "finish_reason": row.get("finish_reason") or "",
            "refusal": "",
            "question_id": row["question_id"],
            "sample": row["sample"],
        }

    names = [field.name for field in fields(Reply)]
    processor = build_processor(config, preprocess=ask, postprocess=answer)
    with tqdm(total=len(rows) * request.samples, desc="generate", unit="reply") as bar:
        for start in range(0, len(rows), request.block):
            block = rows[start : start + request.block]
            asked = [
                {"question_id": row["id"], "sample": sample, "tokens": request.prompt_ids(tokenizer, row)}
                for row in block
                for sample in range(request.samples)
            ]
            found = processor(ray.data.from_items(asked)).take_all()
            places = {row["id"]: place for place, row in enumerate(block)}
            found.sort(key=lambda reply: (places[reply["question_id"]], reply["sample"]))
            append_replies(Path(request.replies), (Reply(**{name: reply[name] for name in names}) for reply in found))
            bar.update(len(found))


if __name__ == "__main__":
    generate(GenerationRequest.read(Path(sys.argv[1])))
