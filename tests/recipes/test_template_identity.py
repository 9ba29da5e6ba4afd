"""What LLaMA-Factory trains on is, token by token, what verl and vLLM build for the same messages.

In both profiles' templates: the tiny tokenizer's own, and Qwen3-8B's rules restated in tests/fixtures (no hub needed).
A difference of one token in the prompt took the format rate from 0.80 to 0.00 in a trial, and nothing else shows it.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf
from transformers import AutoTokenizer
from verl.utils.dataset.rl_dataset import RLHFDataset

from common.code import REPO
from common.decisions import DataDecisions
from data_prep.corpora import load_corpus
from data_prep.prompts import COE_PROMPT, chat_messages
from data_prep.writers import SftSample, write_grpo_parquet, write_sft_json
from eval.generation.request import GenerationRequest
from recipes import sft
from recipes.grpo_config import compose_config
from recipes.profile import Common, profile_names
from recipes.tiny_base.tokenizer import build_tokenizer
from reward_fns.coe_format import CoEOutput
from tests.recipes.texts import training_texts

PROFILE_NAMES = profile_names()
DECIDED = DataDecisions("sample", "coe", COE_PROMPT, False, 2048, 2048, "base")
IGNORED = -100

# Runs in a process of its own: with the placeholder for torchaudio, as training does.
LLAMAFACTORY = """
import json, sys
import recipes.sft_train as t
t.prepare()
from transformers import AutoTokenizer, Seq2SeqTrainingArguments
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
config = sys.argv.pop(1)
sys.argv = ["x", config]
model_args, data_args, training_args, finetuning_args, _ = get_train_args()
tokenizer = AutoTokenizer.from_pretrained(model_args.model_name_or_path)
template = get_template_and_fix_tokenizer(tokenizer, data_args)
data = get_dataset(template, model_args, data_args, training_args, stage="sft", tokenizer=tokenizer)["train_dataset"]
print("RESULT" + json.dumps([{"input_ids": row["input_ids"], "labels": row["labels"]} for row in data]))
"""


@pytest.fixture(scope="module", params=PROFILE_NAMES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A profile with a tokenizer of its template, and what LLaMA-Factory makes of eight samples."""
    profile = request.param
    folder = tmp_path_factory.mktemp(profile)
    questions = [question for question in load_corpus(None, "sample").questions if question.coe][:8]
    tokenizer = build_tokenizer(training_texts(questions), 2000)
    if profile != "tiny":
        template = REPO / "tests" / "fixtures" / f"{profile}_chat_template.jinja"
        if not template.is_file():
            pytest.skip(f"{template}: no such file, so only `make sft` checks this profile's template")
        tokenizer.chat_template = template.read_text(encoding="utf-8")
    tokenizer.save_pretrained(folder / "model")
    (folder / "model" / "config.json").write_text('{"model_type": "qwen3"}', encoding="utf-8")
    outputs = [CoEOutput(question.coe, question.responses[0]).render() for question in questions if question.coe]
    samples = [
        SftSample(question.id, COE_PROMPT, question.post, output)
        for question, output in zip(questions, outputs, strict=True)
    ]
    write_sft_json(folder / "sft.json", samples)
    write_grpo_parquet(folder / "grpo.parquet", questions, COE_PROMPT, "sample", "train")

    composed, _ = sft.compose_config(Common(profile, str(folder), str(folder / "model")), DECIDED, [])
    config: Any = OmegaConf.to_container(composed, resolve=True)
    for key in ("fsdp", "fsdp_config"):
        config.pop(key, None)
    config.update(dataset_dir=str(folder), output_dir=str(folder / "out"), use_cpu=True, bf16=False, report_to="none")
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [sys.executable, "-c", LLAMAFACTORY, str(folder / "config.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
    trained = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))[6:])
    return {
        "profile": profile,
        "folder": folder,
        "tokenizer": AutoTokenizer.from_pretrained(folder / "model"),
        "questions": questions,
        "outputs": outputs,
        "trained": trained,
    }


# In a process of its own, as above: how training's own check judges a template.
FAULT = """
import json, sys
import recipes.sft_train as t
t.prepare()
print("RESULT" + t.template_fault(json.loads(sys.argv[1])))
"""


@pytest.mark.parametrize(("template", "fits"), [("qwen3", True), ("llama3", False)])
def test_training_refuses_another_template_than_the_base_s(template: str, fits: bool, case: dict[str, Any]) -> None:
    config = {"model_name_or_path": str(case["folder"] / "model"), "template": template, "enable_thinking": False}
    command = [sys.executable, "-c", FAULT, json.dumps(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
    told = done.stdout.split("RESULT")[1].strip()
    assert (told == "") == fits
    assert fits or "template=llama3" in told


def trained_prompt(row: dict[str, list[int]]) -> list[int]:
    return [token for token, label in zip(row["input_ids"], row["labels"], strict=True) if label == IGNORED]


def test_verl_s_prompts_are_the_trained_prompts(case: dict[str, Any], tmp_path: Path) -> None:
    config = compose_config(case["profile"], tmp_path, 42, DECIDED, [])
    data: Any = OmegaConf.merge(config.data, {"filter_overlong_prompts": False})
    dataset = RLHFDataset(str(case["folder"] / "grpo.parquet"), tokenizer=case["tokenizer"], config=data)
    kwargs: Any = OmegaConf.to_container(config.data.apply_chat_template_kwargs, resolve=True)
    for index, row in enumerate(case["trained"]):
        messages = dataset[index]["raw_prompt"]
        # The call that verl's agent loop makes.
        encoded = case["tokenizer"].apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True, **kwargs
        )
        assert list(encoded["input_ids"]) == trained_prompt(row)


def test_vllm_s_prompts_are_the_trained_prompts(case: dict[str, Any]) -> None:
    for question, row in zip(case["questions"], case["trained"], strict=True):
        messages = chat_messages(COE_PROMPT, question.post)
        request = GenerationRequest("", "", "", 1, {}, 0, template_kwargs={"enable_thinking": False})
        assert request.prompt_ids(case["tokenizer"], {"prompt": messages}) == trained_prompt(row)


def test_the_prompt_is_an_exact_prefix_and_the_rest_is_the_output(case: dict[str, Any]) -> None:
    for output, row in zip(case["outputs"], case["trained"], strict=True):
        prompt = trained_prompt(row)
        assert row["input_ids"][: len(prompt)] == prompt
        decoded = case["tokenizer"].decode(row["input_ids"][len(prompt) :])
        assert decoded == output + "<|im_end|>\n"


def test_the_whole_text_is_the_template_s(case: dict[str, Any]) -> None:
    for question, output, row in zip(case["questions"], case["outputs"], case["trained"], strict=True):
        messages = [*chat_messages(COE_PROMPT, question.post), {"role": "assistant", "content": output}]
        text = case["tokenizer"].apply_chat_template(messages, tokenize=False, enable_thinking=False)
        assert case["tokenizer"](text, add_special_tokens=False)["input_ids"] == row["input_ids"]


def test_tags_survive_decoding_without_special_tokens(case: dict[str, Any]) -> None:
    for output, row in zip(case["outputs"], case["trained"], strict=True):
        reply = row["input_ids"][len(trained_prompt(row)) :]
        assert case["tokenizer"].decode(reply, skip_special_tokens=True).strip() == output


def test_both_templates_agree_on_longer_conversations() -> None:
    """The tiny template follows the same rules also where this project does not go: several turns, reasoning."""
    tokenizer = build_tokenizer(["对话"], 300)
    tiny, qwen = tokenizer.chat_template, (REPO / "tests/fixtures/qwen3_8b_chat_template.jinja").read_text("utf-8")
    turns = [
        {"role": "system", "content": "系统"},
        {"role": "user", "content": "一"},
        {"role": "assistant", "content": "<think>\n想\n</think>\n\n答一"},
        {"role": "user", "content": "二"},
        {"role": "assistant", "content": "<think>\n再想\n</think>\n\n答二"},
    ]
    for length in range(2, 6):
        extras: list[dict[str, Any]] = [{}, {"enable_thinking": False}, {"enable_thinking": True}]
        for extra in extras:
            generate = turns[length - 1]["role"] == "user"
            texts = [
                tokenizer.apply_chat_template(
                    turns[:length], chat_template=t, tokenize=False, add_generation_prompt=generate, **extra
                )
                for t in (tiny, qwen)
            ]
            assert texts[0] == texts[1]
