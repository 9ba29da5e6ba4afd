"""The small bases: the one that comes with the project, and what `make base` makes of a corpus."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast, Trainer

from common.code import REPO
from common.errors import StageError
from common.model_card import read_corpora
from data_prep.corpora import load_corpus
from data_prep.dialogues import Dialogue, load_dialogues, treated
from data_prep.prompts import COE_PROMPT, chat_messages
from recipes.base import RECIPE
from recipes.profile import NoSection, load_profile
from recipes.stage import run
from recipes.tiny_base.mix import MixConfig, documents
from recipes.tiny_base.model import ShapeConfig, build_model
from recipes.tiny_base.tokenizer import build_tokenizer
from recipes.tiny_base.train import TrainConfig, pack, rate, train
from reward_fns.coe_format import LAYERS, TAG_NAMES, CoEOutput, format_reward
from tests.recipes.texts import training_texts

BASE: Final = REPO / "recipes" / "tiny_base"
SHIPPED: Final = BASE / "model"
WEIGHTS: Final = "da277f878eca984da1f2d7b43129212cf498d5fdaaca7f153248363d0da2e3cd"
TAGS: Final = [f"<{slash}{name}>" for name in TAG_NAMES for slash in ("", "/")]
SHAPE: Final = ShapeConfig(layers=1, hidden=32, intermediate=64, heads=2, kv_heads=1, head_dim=16, vocab=600)
FAST: Final = TrainConfig(length=64, batch=4, micro_batch=2, warmup_steps=5, bf16=False, compile=False, log_steps=1)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer(training_texts(load_corpus(None, "sample").questions[:20]), SHAPE.vocab)


def test_the_shipped_model_is_the_profile_s() -> None:
    common, _ = load_profile(["profile=tiny"], "", NoSection)
    assert Path(common.model) == SHIPPED
    assert hashlib.sha256((SHIPPED / "model.safetensors").read_bytes()).hexdigest() == WEIGHTS
    assert read_corpora(SHIPPED) == ("smilechat", "psyqa")


def test_its_loss_on_dialogues_it_has_not_read() -> None:
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED)
    model = AutoModelForCausalLM.from_pretrained(SHIPPED, dtype=torch.float32).eval()
    losses, count = 0.0, 0
    for line in (BASE / "heldout.jsonl").read_text(encoding="utf-8").splitlines():
        text = tokenizer.apply_chat_template(json.loads(line)["turns"], tokenize=False, enable_thinking=False)
        ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"][:768]])
        with torch.no_grad():
            losses += model(ids, labels=ids).loss.item() * (ids.shape[1] - 1)
        count += ids.shape[1] - 1
    assert count == 26309
    assert losses / count == pytest.approx(3.2299, abs=1e-3)


def test_llamafactory_and_verl_load_it(tmp_path: Path) -> None:
    """In processes of their own, as the stages run them; the prompts are the chat template's."""
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED)
    asked = tokenizer.apply_chat_template(
        chat_messages(COE_PROMPT, "最近睡不着。"),
        add_generation_prompt=True,
        tokenize=True,
        return_dict=False,
        enable_thinking=False,
    )
    code = f"""
import recipes.sft_train as t
t.prepare()
from llamafactory.hparams import get_infer_args
from llamafactory.model import load_model, load_tokenizer
from llamafactory.data import get_template_and_fix_tokenizer
from data_prep.prompts import COE_PROMPT
args, data, tuning, _ = get_infer_args(
    {{"model_name_or_path": {str(SHIPPED)!r}, "template": "qwen3", "enable_thinking": False}}
)
tokenizer = load_tokenizer(args)["tokenizer"]
template = get_template_and_fix_tokenizer(tokenizer, data)
turns = [{{"role": "user", "content": "最近睡不着。"}}, {{"role": "assistant", "content": "嗯"}}]
prompt, _ = template.encode_oneturn(tokenizer, turns, COE_PROMPT)
assert prompt == {asked}, tokenizer.decode(prompt)
model = load_model(tokenizer, args, tuning)
from verl.workers.config.model import HFModelConfig
config = HFModelConfig(path={str(SHIPPED)!r})
assert config.hf_config.vocab_size == len(config.tokenizer) == model.config.vocab_size == 8000
print("BOTH")
"""
    assert "BOTH" in _run(code, {"DISABLE_VERSION_CHECK": "1"})


@pytest.mark.slow
def test_vllm_loads_it_and_it_writes_chinese() -> None:
    code = f"""
from vllm import LLM, SamplingParams
from data_prep.prompts import PLAIN_PROMPT, chat_messages
model = LLM({str(SHIPPED)!r}, dtype="float32", enforce_eager=True, max_model_len=768, seed=1)
said = model.chat(
    [chat_messages(PLAIN_PROMPT, "最近睡不着，心里很烦。")] * 4,
    SamplingParams(temperature=0.8, max_tokens=120),
    chat_template_kwargs={{"enable_thinking": False}},
)
print("SAID" + "".join(one.outputs[0].text for one in said) + "END")
"""
    environment = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_NO_USAGE_STATS": "1"}
    said = _run(code, environment).rpartition("SAID")[2].partition("END")[0]
    assert sum("\u4e00" <= character <= "\u9fff" for character in said) > 0.8 * len(said) > 100


def _run(code: str, more: Mapping[str, str]) -> str:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", **more}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-3000:]
    return done.stdout


def test_any_text_survives_the_tokenizer(tokenizer: PreTrainedTokenizerFast) -> None:
    text = CoEOutput(("难过。", "自责？", "“被理解”", "先共情"), "a <3 b\n\n  c，123 emoji 🙂 繁體").render()
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text


@pytest.mark.parametrize("shipped", [False, True])
@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("before", ["", "。", "字", ")", "\n"])
def test_a_tag_is_one_ordinary_token_wherever_it_stands(
    tag: str, before: str, shipped: bool, tokenizer: PreTrainedTokenizerFast
) -> None:
    used: Any = AutoTokenizer.from_pretrained(SHIPPED) if shipped else tokenizer
    ids = used(before + tag + "字", add_special_tokens=False)["input_ids"]
    assert used.convert_tokens_to_ids(tag) in ids
    assert used.convert_tokens_to_ids(tag) not in used.all_special_ids


def test_special_tokens_are_qwen3_s(tokenizer: PreTrainedTokenizerFast) -> None:
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")
    for token in ("<think>", "</think>", "<|im_start|>"):
        assert len(tokenizer(token, add_special_tokens=False)["input_ids"]) == 1
    # As in Qwen3, the think marks are text that decoding keeps.
    assert tokenizer.decode(tokenizer("<think>")["input_ids"], skip_special_tokens=True) == "<think>"


def test_seed_and_tokenizer_decide_the_first_weights(tokenizer: PreTrainedTokenizerFast) -> None:
    weight = build_model(SHAPE, tokenizer, seed=1).lm_head.weight
    assert weight.shape[0] == len(tokenizer)
    assert torch.equal(weight, build_model(SHAPE, tokenizer, seed=1).lm_head.weight)
    assert not torch.equal(weight, build_model(SHAPE, tokenizer, seed=2).lm_head.weight)


def _dialogues(count: int) -> list[Dialogue]:
    told = (("user", "最近总是睡不着。"), ("assistant", "听起来你很累。" * 5 + "你愿意说说吗？"), ("user", "谢谢。"))
    more = (*told, ("assistant", "想多久了？" * 6 + "先照顾好自己。"))
    return [Dialogue(str(number), more) for number in range(count)]


def test_the_mix_has_its_shares_and_never_a_chain() -> None:
    chats = list(documents(_dialogues(4000), MixConfig(), seed=1))
    assert chats == list(documents(_dialogues(4000), MixConfig(), seed=1))
    marked = [chat for chat in chats if "<L" in chat[-1]["content"] or "<answer>" in chat[-1]["content"]]
    by_turns = [chat for chat in chats if len([m for m in chat if m["role"] == "user"]) == 2]
    assert len(by_turns) / len(chats) == pytest.approx(0.35, abs=0.03)
    assert len(marked) / (len(chats) - len(by_turns)) == pytest.approx(0.125, abs=0.02)
    for chat in marked:
        tags = re.findall("<[a-zA-Z_0-9]+>", chat[-1]["content"])
        assert all(tag in chat[0]["content"] for tag in tags)
        assert [tag for tag in tags if tag[1:-1] in LAYERS] != [f"<{layer}>" for layer in LAYERS]
        assert format_reward(chat[-1]["content"]) == 0


def test_dialogues_are_cleaned_masked_and_end_with_a_reply(tmp_path: Path) -> None:
    turns = [
        ("client", "你好<br>我很烦"),
        ("client", "加我微信zhang_888888"),
        ("counselor", "怎么了？"),
        ("client", "嗯"),
    ]
    record = {"id": 1, "dialogue": [{"role": role, "content": text} for role, text in turns]}
    file = tmp_path / "dialogues.jsonl"
    file.write_text(json.dumps(record) + "\n", encoding="utf-8")
    format, found = load_dialogues(file)
    assert format == "smilechat"
    (dialogue,) = treated(found)
    assert [role for role, _ in dialogue.turns] == ["user", "assistant"]
    assert "[微信]" in dialogue.turns[0][1]
    assert "zhang" not in dialogue.turns[0][1]
    assert "<br>" not in dialogue.turns[0][1]


def test_any_corpus_gives_dialogues() -> None:
    format, found = load_dialogues(None)
    assert format == "sample"
    assert {len(dialogue.turns) for dialogue in found} == {2}


def test_rows_hold_every_token_once_as_a_target(tokenizer: PreTrainedTokenizerFast) -> None:
    chats = list(documents(_dialogues(50), MixConfig(), seed=1))
    rows = pack(chats, tokenizer, 32)
    text = "".join(f"{tokenizer.apply_chat_template(chat, tokenize=False)}{tokenizer.pad_token}" for chat in chats)
    targets = rows[:, 1:].ravel().tolist()
    assert targets == tokenizer(text, add_special_tokens=False)["input_ids"][1 : len(targets) + 1]
    assert (rows[1:, 0] == rows[:-1, -1]).all()
    with pytest.raises(ValueError, match="Bring a larger corpus"):
        pack(chats[:1], tokenizer, 100_000)


def test_the_rate_rises_stays_and_falls() -> None:
    assert [rate(step, 1000, 100) for step in (0, 99, 499)] == [0.01, 1.0, 1.0]
    assert rate(750, 1000, 100) == pytest.approx(0.5)
    assert rate(999, 1000, 100) == 0.02


def test_a_training_that_was_cut_ends_as_one_that_was_not(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pack(documents(_dialogues(200), MixConfig(), seed=1), tokenizer, FAST.length)

    def trained(folder: str) -> tuple[dict[str, torch.Tensor], list[float]]:
        model = build_model(SHAPE, tokenizer, seed=1)
        log = train(model, rows, rows[:4], replace(FAST, steps=12, save_steps=6), 1, tmp_path / folder)
        return model.state_dict(), [entry["loss"] for entry in log if "loss" in entry]

    whole, losses = trained("whole")
    steps = count()
    real = Trainer.training_step

    def cut(self: Trainer, *arguments: Any, **more: Any) -> Any:
        # In the eighth step of two micro-batches, after the checkpoint of the sixth.
        if next(steps) == 15:
            raise KeyboardInterrupt
        return real(self, *arguments, **more)

    monkeypatch.setattr(Trainer, "training_step", cut)
    with pytest.raises(KeyboardInterrupt):
        trained("cut")
    monkeypatch.undo()
    resumed, _ = trained("cut")
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    assert losses[-1] < losses[0]


def test_make_base_from_a_corpus(tmp_path: Path) -> None:
    shape = [f"shape.{key}={value}" for key, value in asdict(SHAPE).items()]
    training = ["train.steps=3", "train.length=64", "train.batch=2", "train.micro_batch=1", "train.compile=false"]
    run(RECIPE, ["profile=tiny", f"out={tmp_path}", *shape, *training, "heldout_share=0.1"])
    folder = tmp_path / "base"
    told = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    assert f"{told['heldout_loss']:.3f} nats" in (folder / "README.md").read_text(encoding="utf-8")
    assert read_corpora(folder) == ("sample",)
    assert AutoModelForCausalLM.from_pretrained(folder).config.vocab_size == told["vocab"]
    assert AutoModelForCausalLM.from_pretrained(folder, dtype="auto").dtype == torch.bfloat16
    assert not (folder / "work").exists()


def test_make_base_needs_its_corpus(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="no such file or folder"):
        run(RECIPE, ["profile=tiny", f"out={tmp_path}", "corpus=/nowhere"])
