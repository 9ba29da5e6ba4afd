"""What the tests of data preparation share: made-up questions, small corpora in files, a tiny chat tokenizer."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from common.records.question import Question

CORPORA = Path(__file__).parents[1] / "fixtures" / "corpora"

# ChatML as Qwen3 has it, with the switch that leaves an empty block of thoughts.
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)

FEELINGS = ("难过", "害怕", "愤怒", "高兴", "焦虑", "感激")
SAYINGS = (
    "事情总要一件一件来，不必赶着做完。",
    "哭出来并不丢人，眼泪也是一种话。",
    "今晚早点关灯，把手机放到客厅去充电。",
    "人与人之间隔着山，也隔着一碗热汤。",
    "等天气好了，去河边走半个小时试试看。",
    "没有谁规定二十几岁就得活得明白。",
    "纸上列出三样能决定的，其余先放一边。",
    "听起来，这些年都是你在照顾别人。",
    "小时候谁夸过你，现在还记得那句话吗？",
    "改变从最小的动作开始，比如先坐直身子。",
    "冬天过去以前，先允许自己慢半拍。",
    "两个人都没错的时候，往往最难开口。",
)
THINGS = ("搬家", "考试", "吵架", "失眠", "加班", "转学", "分手", "请假", "体检", "聚会")
# Characters that make neither words of feeling nor names: what sets made-up texts apart, which are alike otherwise.
FILLER = "的了着过很太最就都也还又再才只把被给让从对跟比按这那些每各几多少大小上下左右里外前后"


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE with hardly a merge, so about one token a byte, and a ChatML template."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(["我能理解你的感受"], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>")
    fast.chat_template = CHATML
    return fast


@pytest.fixture(scope="session")
def make_questions() -> Callable[[int], list[Question]]:
    """As many questions as asked for, each with two responses of over 100 characters; every fifth at acute risk."""

    def make(count: int) -> list[Question]:
        return [_question(number) for number in range(count)]

    return make


@pytest.fixture(scope="session")
def psyqa_path() -> Path:
    """Twelve questions with 28 answers, in PsyQA's format."""
    return CORPORA / "psyqa.json"


@pytest.fixture(scope="session")
def smilechat_path() -> Path:
    """Twelve dialogues about nine matters, in SMILECHAT's folder."""
    return CORPORA / "smilechat"


@pytest.fixture(scope="session")
def empathy_qa_path() -> Path:
    """Six questions with eleven responses, with Empathy-QA's four fields."""
    return CORPORA / "empathy_qa.json"


def _question(number: int) -> Question:
    thing, feeling = THINGS[number % len(THINGS)], FEELINGS[number % len(FEELINGS)]
    return Question(
        id=f"q{number:03}",
        title=f"第{number}次{thing}之后怎么办？",
        description=(
            f"上周{thing}的时候我很{feeling}，已经是第{number}回了，回到家一句话也说不出来。{_filler(number, 60)}。"
        ),
        topic=thing,
        responses=tuple(_response(number, turn, thing, feeling) for turn in range(2)),
        coe=(
            f"来访者因第{number}次{thing}而{feeling}。",
            f"他把{thing}看成自己的失败。",
            "他想先被理解。",
            f"先回应{feeling}，再一起看{thing}。",
        ),
        crisis=number % 5 == 4,
        group=f"q{number:03}",
        response_emotions=(FEELINGS[number % len(FEELINGS)], FEELINGS[number % 3]),
    )


def _filler(seed: int, length: int) -> str:
    return "".join(random.Random(seed).choices(FILLER, k=length))


def _response(number: int, turn: int, thing: str, feeling: str) -> str:
    return (
        f"我能理解你的感受。第{number}次{thing}，换了谁都会{feeling}，这是第{turn}种看法。"
        f"可以先把{thing}那天的经过写下来，写到{feeling}的地方停一停，再问问自己那一刻想要什么。"
        f"{SAYINGS[number % len(SAYINGS)]}愿意的话，找一位信得过的朋友说说{thing}。"
        f"如果{feeling}一直不散，影响了吃饭和睡觉，也可以预约一次专业的心理咨询。"
        f"{_filler(1000 * turn + number + 7, 150)}。"
    )
