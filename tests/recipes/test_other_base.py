"""A base that is not Qwen: data, SFT and a reply, with a tiny model of Llama's architecture and Llama 3's template."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pandas as pd
import pytest
from tokenizers import AddedToken
from transformers import LlamaConfig, LlamaForCausalLM

from common.code import REPO
from data_prep.corpora import load_corpus
from recipes.tiny_base.tokenizer import build_tokenizer
from tests.recipes.texts import training_texts

# Llama 3's rules for text, written for this test.
TEMPLATE: Final = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content }}"
    "<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
MARKS: Final = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    tokenizer = build_tokenizer(training_texts(load_corpus(None, "sample").questions), 3000)
    tokenizer.add_tokens([AddedToken(mark, special=True) for mark in MARKS], special_tokens=True)
    tokenizer.bos_token, tokenizer.eos_token, tokenizer.chat_template = MARKS[0], MARKS[3], TEMPLATE
    tokenizer.save_pretrained(folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "chat_template": TEMPLATE}), encoding="utf-8")
    config = LlamaConfig(  # type: ignore[call-arg]  # transformers adds the common keys at run time
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=128,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=1024,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def recipe(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"recipes.{name}", "profile=tiny", *arguments]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=500)


@pytest.mark.slow
def test_another_architecture_and_template(base: Path, tmp_path: Path) -> None:
    common = [f"out={tmp_path}", f"model={base}"]
    done = recipe("data", *common)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = recipe("sft", *common, "max_steps=2")
    assert wrong.returncode == 1
    assert "template=qwen3" in wrong.stderr
    right = recipe("sft", *common, "max_steps=2", "template=llama3")
    assert right.returncode == 0, right.stderr
    assert json.loads((tmp_path / "sft" / "config.json").read_text())["model_type"] == "llama"
    made = recipe("generate", *common, "models=[SFT]", "samples=1", "max_tokens=8")
    assert made.returncode == 0, made.stderr
    replies = (tmp_path / "generate" / "sft.replies.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(replies) == len(pd.read_parquet(tmp_path / "data" / "test.parquet"))
