"""What the dataset card says in words: the parts that do not depend on a run, the corpora, and what each field means.

Apart from ``card.py`` so that whoever answers for the data can read and mend the wording without reading code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from common.human_help import human_help
from data_prep.risk import RISKS


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus that the data may be made from.

    Attributes:
        origin: what it is.
        terms: under which it may be used.
        citation: BibTeX in a fenced block; "" where there is nothing to cite.
    """

    origin: str
    terms: str
    citation: str = ""


def _bibtex(entry: str) -> str:
    return f"```bibtex\n{entry}\n```\n"


PAPER_CITATION: Final = _bibtex(
    """@misc{yao2025empathyr1,
  title = {Empathy-R1: A Chain-of-Empathy and Reinforcement Learning Framework for Long-Form Mental Health Support},
  author = {Yao, Xianrong and She, Dong and Zhang, Chenxu and Zhang, Yimeng and Sun, Yueru and Ahmed, Noman and
            Gao, Yang and Jin, Zhanpeng},
  year = {2025},
  eprint = {2509.14851},
  archivePrefix = {arXiv}
}"""
)

# By the corpus format of ``data_prep.corpora``.
SOURCES: Final[Mapping[str, Source]] = {
    "sample": Source(
        origin="the sample corpus of the open implementation: posts, replies and chains written for this project, not "
        "reviewed by a counsellor, nobody's own story",
        terms="Sample corpus: the licence of the repository it comes with, Apache-2.0.",
    ),
    "psyqa": Source(
        origin="PsyQA (Sun et al., 2021): questions and long answers from a Chinese platform for mental health support",
        terms="PsyQA: its authors give it out against a signed agreement (https://github.com/thu-coai/PsyQA). What is "
        "made from it, this data set too, may be passed on only as far as that agreement allows.",
        citation=_bibtex(
            """@inproceedings{sun2021psyqa,
  title = {PsyQA: A Chinese Dataset for Generating Long Counseling Text for Mental Health Support},
  author = {Sun, Hao and Lin, Zhenru and Zheng, Chujie and Liu, Siyang and Huang, Minlie},
  booktitle = {Findings of the Association for Computational Linguistics: ACL-IJCNLP 2021},
  year = {2021},
  eprint = {2106.01702},
  archivePrefix = {arXiv}
}"""
        ),
    ),
    "smilechat": Source(
        origin="SMILECHAT (Qiu et al., 2024): dialogues into which ChatGPT rewrote PsyQA's questions and answers; the "
        "client's turns are read as one post and the counsellor's as one response, so neither is a person's own words",
        terms="SMILECHAT: published under CC0 1.0 (https://github.com/qiuhuachuan/smile). It was made from PsyQA, "
        "whose agreement is the stricter one.",
        citation=_bibtex(
            """@inproceedings{qiu2024smile,
  title = {SMILE: Single-turn to Multi-turn Inclusive Language Expansion via ChatGPT for Mental Health Support},
  author = {Qiu, Huachuan and He, Hongliang and Zhang, Shuai and Li, Anqi and Lan, Zhenzhong},
  booktitle = {Findings of the Association for Computational Linguistics: EMNLP 2024},
  year = {2024},
  eprint = {2305.00450},
  archivePrefix = {arXiv}
}"""
        ),
    ),
    "empathy_qa": Source(
        origin="a corpus in the four fields of Empathy-QA, which the paper describes and never published",
        terms="Empathy-QA: whoever holds the corpus states its terms; the paper gives none.",
    ),
    "table": Source(
        origin="a table of posts and replies that whoever prepared this data set brought along",
        terms="Own table: whoever brought it answers for its origin, its licence and the writers' consent.",
    ),
}

LICENSE_OTHER: Final = """\
`other` stands for: each text keeps the terms of the corpus it comes from. Whoever publishes the data set checks them
first and then names a licence that they allow.
"""

LICENSE_CHOSEN: Final = """\
It was named by whoever prepared the data set, and cannot allow more than the corpora do.
"""

WARNING: Final = f"""\
> **For research only.** People wrote, or were imagined to write, in distress. Nothing here is advice, no figure claims
> clinical validity, and no model trained on it is a counsellor.
>
> 如果你或身边的人有伤害自己的念头，请马上联系信任的人，或拨打{human_help().hotlines_zh("**")}；
> 情况紧急时，请拨打 {human_help().emergency_zh("**")}。
"""

HOLDS: Final = """\
The paper is *Empathy-R1* (arXiv:2509.14851). A question is a title and a longer description; a response is one reply
to it. From them come samples for supervised fine-tuning, prompts for reinforcement learning, triplets for the reward
model, and test questions with all their responses as references.
"""

MADE: Final = """\
For each step: how many came in, how many went on, how many were left out. Nothing is dropped without being counted.
"""

TABLE_1: Final = """\
Table 1 of the paper, its own columns first. Lengths are means in characters, punctuation and line ends
included; a question without a description counts with 0 there. A dash: the corpus has none.
"""

SPLITS: Final = """\
A question is in one split only, with all its responses and with its near-duplicates. Test questions are never trained
on.
"""

# What a picture shows, for those who cannot see it.
PICTURES: Final[Mapping[str, str]] = {
    "lengths.png": "How long titles, descriptions and answers are, with the paper's means",
    "topics.png": "Questions per topic",
    "responses.png": "Questions by their number of responses, with the paper's means",
}

FILES: Final = """\
`datasets` loads what has a config: `load_dataset(folder, config)`. Beside the files below stand `rejected.jsonl` (what
was left out, by step, with the reason), `masked.jsonl` (where personal data stood) and `leaks.jsonl`.

`prompt[].content` reads: field `content` of each entry of the list `prompt`.
"""

# What each field means, by its path as the card prints it.
FIELDS: Final[Mapping[str, str]] = {
    "ability": "always `counselling`",
    "coe": "the chain, a text a layer, where there is one; the sample's are written for this project, not reviewed",
    "crisis": "whether the corpus marks the asker as at acute risk",
    "data_source": "the corpus's name, by which verl groups its validation figures",
    "description": "the post itself; may be empty",
    "emotion": "of the post: the class that stands out from all posts by the DUTIR lexicon, or a classifier's label",
    "extra_info.index": "number of the row, from 0",
    "extra_info.question": "title and description: what the reward compares the answer with",
    "extra_info.question_id": "the question's id in its corpus",
    "extra_info.split": "`train` or `val`",
    "extra_info.topic": "the corpus's own label; empty where it has none",
    "group": "the id that stands for all near-duplicates of the question",
    "id": "the question's id in its corpus",
    "instruction": "title and description: the user's turn",
    "kind": "how the negative was chosen: `emotion` (of another emotion), `generic` (frequent sentences), `in_batch` "
    "(any other question's response), `topic` (a response to a question about the same matter), `topic_emotion` (the "
    "same, of another emotion), `dressed` (frequent sentences with words of the post)",
    "negative": "a text that does not answer the question",
    "output": "what the model is taught to write: chain and answer, or the answer alone in a run without chains",
    "positive": "a response to the question",
    "prompt[].content": "the system prompt, or title and description",
    "prompt[].role": "`system` or `user`",
    "question": "title and description",
    "question_id": "the question's id in its corpus",
    "references": "all responses to the question",
    "response_emotions": "the same for each response, among all responses",
    "responses": "all responses to the question",
    "reward_model.ground_truth": "the first response, for verl's logs only",
    "reward_model.style": "always `rule`: the reward is computed, no model is asked for a verdict",
    "risks": "categories whose rules match the post; not a screening result",
    "split": "`train`, `val` or `test`; of the triplets `train`, or `heldout` for evaluating the reward model",
    "subtopic": "the corpus's finer label; empty where it has none",
    "system": "the system prompt",
    "test_set": "the corpus that the question was drawn from",
    "title": "the question in a line",
    "topic": "the corpus's own label; empty where it has none",
    "train_only": "whether the question is from a corpus that is only trained on (`train_on`)",
}

ANONYMISED: Final = """\
Personal data was looked for by rules (and by a model, where a run names one) and replaced by typed placeholders such as
`[电话]` (telephone) or `[姓名]` (name). Within a question the same value has the same placeholder. No file here holds
the values.
"""

ANONYMISATION_LIMITS: Final = """\
No rule finds everything. Known limits:

- Names, schools, employers and addresses are found by how they are introduced; an unusual wording gets past.
- Nicknames, a surname with a title (李老师), cities and public figures are left as they are; so are crisis hotlines.
- A life story can point to its teller without a single name in it.

Who meets personal data here should report it to whoever published the data set. Nobody should try to find out who
wrote a post.
"""

NOT_ANONYMISED: Final = """\
\
**These texts were not anonymised:** the step was switched off. They must not be published or passed on.
"""

RISK: Final = f"""\
Rules tag posts by what they speak of: {", ".join(RISKS).replace("_", " ")}. The tags serve
two purposes: such posts are kept out of the RL prompts unless a run is told otherwise, because nobody in danger is to
be answered by trial and error; and they form a slice of their own in the evaluation. A post may carry several.
"""

RISK_LIMITS: Final = """\
The tags are no screening instrument. They miss people in danger and they mark people who are not: nothing about a
person may be decided by them.
"""

LEAKS: Final = """\
Searched across the splits after they were made. Anything but 0 is a fault to be reported.
"""

USE: Final = f"""\
Meant for: research on how language models reply to long posts, on empathetic reasoning and on rewards; checking a
training pipeline.

Not meant for:

- counselling, diagnosis, triage or any other clinical use, with or without a person looking on;
- answering people in crisis. In China: {human_help().english()};
- judging, profiling or identifying the people who wrote;
- measuring how good human counsellors are: a reply on the net is not a session.

The posts come from people who write on Chinese platforms, or imitate them; age, region and class are not balanced, and
the replies carry their writers' views on family, work and gender.
"""
