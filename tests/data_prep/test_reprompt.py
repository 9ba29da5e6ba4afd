"""A variant's data: the same questions and answers, asked for by another prompt."""

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from data_prep.prompts import COE_PROMPT, PLAIN_PROMPT, chat_messages
from data_prep.reprompt import reprompt
from reward_fns.coe_format import CoEOutput

ANSWER = "听起来这段时间很难。\n先好好睡一觉，再慢慢说。"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "main"
    folder.mkdir()
    output = CoEOutput(("难过", "自责", "被理解", "先共情"), ANSWER).render()
    samples = [{"system": COE_PROMPT, "instruction": "睡不着", "output": output}]
    (folder / "sft.json").write_text(json.dumps(samples, ensure_ascii=False), encoding="utf-8")
    (folder / "dataset_info.json").write_text("{}")
    for name in ("grpo_train", "grpo_val", "test"):
        rows = [{"id": f"{name}{n}", "prompt": chat_messages(COE_PROMPT, "睡不着")} for n in range(3)]
        pd.DataFrame(rows).to_parquet(folder / f"{name}.parquet")
    return folder


def test_prompts_change_and_nothing_else(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "variant"
    folder.mkdir()
    reprompt(source, folder, "plain")
    (sample,) = json.loads((folder / "sft.json").read_text(encoding="utf-8"))
    assert sample == {"system": PLAIN_PROMPT, "instruction": "睡不着", "output": ANSWER}
    for name in ("grpo_train", "grpo_val", "test"):
        before, after = (pq.read_table(one / f"{name}.parquet") for one in (source, folder))
        assert after.drop_columns("prompt").equals(before.drop_columns("prompt"))
        assert after["prompt"].to_pylist() == [chat_messages(PLAIN_PROMPT, "睡不着")] * 3
        assert after.schema.field("prompt") == before.schema.field("prompt")


def test_a_prompt_that_asks_for_chains_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="prompt=coe: expected one without chains"):
        reprompt(source, tmp_path, "coe")
