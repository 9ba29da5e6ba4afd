"""BERTScore against the formula worked out by hand, on an encoder with random weights."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from eval.metrics.bertscore import BertScorer

TEXT, REFERENCES = "很难过", ["很开心呢", "很难过"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    vocabulary = {token: number for number, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"很难过开心呢"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $0 [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    path = tmp_path_factory.mktemp("encoder")
    fast.save_pretrained(path)
    sizes: dict[str, Any] = {
        "vocab_size": len(vocabulary),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    BertModel(BertConfig(**sizes)).save_pretrained(path)
    return path


def by_hand(folder: Path, reply: str, reference: str, layer: int) -> float:
    model, tokenizer = BertModel.from_pretrained(folder).eval(), PreTrainedTokenizerFast.from_pretrained(folder)
    sides = []
    for text in (reply, reference):
        with torch.no_grad():
            states = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states[layer][0]
        sides.append(torch.nn.functional.normalize(states[1:-1], dim=-1))
    cosines = sides[0] @ sides[1].T
    precision, recall = cosines.max(1).values.mean(), cosines.max(0).values.mean()
    return float(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize("layer", [1, 2])
def test_it_is_the_formula(folder: Path, layer: int) -> None:
    scores = pd.DataFrame({"question_id": ["a", "b", "b"], "shown": [TEXT, "", TEXT]}, index=[5, 6, 7])
    references = pd.DataFrame({"id": ["a", "b"], "references": [REFERENCES, REFERENCES[:1]]})
    scorer = BertScorer(folder, layer)
    each = [by_hand(folder, TEXT, reference, layer) for reference in REFERENCES]
    found = scorer.score(scores, references, "mean")
    assert found == pytest.approx([sum(each) / 2, 0.0, each[0]], abs=1e-5)
    assert each[1] == pytest.approx(1.0)
    assert scorer.score(scores, references, "best") == pytest.approx([1.0, 0.0, each[0]], abs=1e-5)
    assert f"-L{layer}-" in scorer.signature


def test_what_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ValueError, match="no folder"):
        BertScorer(folder / "nowhere")
    with pytest.raises(ValueError, match=r"layer 3 of .*, expected 1 to 2"):
        BertScorer(folder, 3)
