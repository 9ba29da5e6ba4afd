"""The keys of `make data`, with their checks. Nothing heavy is imported here: later stages read some of them too."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from common.settings import check, limited, one_of
from data_prep.anonymise.placeholders import ALL_TYPES
from data_prep.cleaning import MIN_RESPONSE_CHARS, RULES
from data_prep.prompts import SYSTEM_PROMPTS
from data_prep.risk.model import RiskTaggerConfig

# Keys that change how the work is done and nothing of its result.
HOW_IT_RUNS: Final = ("engine", "workers")

_BAD_SHARE: Final = {"fits": lambda share: 0 <= share < 1, "expected": "a share of 0 or more and below 1"}
_HELDOUT_SHARE: Final = {"fits": lambda share: 0 < share < 1, "expected": "a share above 0 and below 1"}
_ROLES: Final = {
    "fits": lambda roles: set(roles.values()) <= {"seeker", "supporter", "system"},
    "expected": "seeker, supporter or system for each",
}


def _some_of(names: Collection[str]) -> dict[str, Any]:
    return {"fits": frozenset(names).issuperset, "expected": f"some of {', '.join(names)}"}


@dataclass(frozen=True, slots=True)
class TreatmentConfig:
    """What decides a question's treatment.

    Attributes:
        cleaning_off: names of cleaning rules that are not applied.
        min_response_chars: responses have to be longer than this, in characters (section 2).
        mask: types of personal data that are masked.
        mask_titled: whether the surname before a title is masked (李老师 becomes [姓名]老师).
        mask_given: whether a given name or nickname alone is masked (朵朵 of 我女儿朵朵).
        mask_bias: how readily names, schools, employers and addresses are found, wrong ones too.
        mask_model: a Hugging Face token classifier that looks as well; None for none.
        risk_wording: whether the linear model over wordings tags risks with the rules.
        emotion_model: a Hugging Face text classifier instead of the lexicon; None for the lexicon.
    """

    cleaning_off: tuple[str, ...]
    min_response_chars: int
    mask: tuple[str, ...]
    mask_titled: bool
    mask_given: bool
    mask_bias: float
    mask_model: str | None
    risk_wording: bool
    emotion_model: str | None


@dataclass(slots=True)  # OmegaConf fills no frozen one that stands in a mapping
class ReadConfig:
    """How one of the further corpora is read; what each key means, `DataConfig` says.

    Attributes:
        format: the corpus's.
        columns: its columns for our fields.
        crisis_values: the values of the column ``crisis`` that mark.
        encoding: of its text files.
    """

    format: str = "auto"
    columns: dict[str, str] = field(default_factory=dict)
    crisis_values: list[str] = field(default_factory=list)
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class DataConfig:
    """How the data is prepared. Sizes are counts of questions or samples, lengths tokens unless said otherwise.

    Attributes:
        seed: of every draw (the paper: 42).
        data_source: the corpus's name in verl's rows and metrics.
        format: the corpus's, one of `data_prep.corpora.CorpusFormat`; "auto" tells by its content.
        columns: for a corpus of other people's making: our field names (`data_prep.corpora.columns`), and its column,
            path of keys or number of column for each.
        crisis_values: the values of the column ``crisis`` that mark a post as being at acute risk; [] for true, 1, yes,
            是 and the like.
        dialogue_post: which of a seeker's turns are the post: "all", or "first" for those before the supporter's first
            reply of substance, one longer than ``min_response_chars``.
        dialogue_response: which replies are the response: "all", or "first" for the first of substance alone.
        roles: what speakers are called in a corpus of dialogues, beside the usual names: each with "seeker",
            "supporter", or "system" for turns that are left out.
        encoding: of the corpus's text files.
        max_bad_records: share of records that may be bad (and go to ``rejected.jsonl``) before the run stops.
        max_record_mb: how large a record may be, in megabytes; a file may unpack to a thousand times as much.
        train_on: further corpora, paths, whose questions are only trained on: prompts, triplets and the pairs that T is
            chosen on, never a test question. null: beside the sample, which is small, the posts of SMILECHAT that come
            with the project; beside any other corpus none.
        tests: further corpora, paths: ``test_size`` questions of each become a test set beside the corpus's own, as in
            the paper, which has two. Nothing alike to them is trained on.
        exclude: further corpora, paths, none of whose questions may be trained on, such as the one that this corpus was
            made from.
        reads: how those of the three that need it are read, by the file's name up to its first dot: for
            ``tests=[/data/posts.csv]``, ``reads.posts.columns.title=问题``. ``roles`` and the rules of dialogues hold
            for all.
        coe: a set of CoE chains, a path: they are the SFT samples instead of the sample corpus's. `make coe` and
            `make review` write one. null: the sample's.
        cleaning_off: cleaning rules that are not applied, by name.
        min_response_chars: human responses have to be longer than this, in characters (section 2).
        mask: types of personal data that are masked; [] for none.
        mask_titled: whether the surname before a title is masked (李老师 becomes [姓名]老师).
        mask_given: whether a given name or nickname alone is masked (朵朵 of 我女儿朵朵).
        mask_bias: how readily names, schools, employers and addresses are found, wrong ones too; above 2 hardly
            anything else is found.
        mask_model: a Hugging Face token classifier that looks as well, a folder or a hub id.
        emotion_model: a Hugging Face text classifier for the emotions, instead of the lexicon.
        question_threshold: Jaccard index of character 5-grams from which two posts are near-duplicates.
        response_threshold: the same for responses, of which the later is left out.
        risk_in_rl: whether posts that the tags call concern or acute may be RL prompts. Those that the corpus marks
            itself never are.
        risk: who tags the risks: the rules, or a model in their place (``risk.tagger=server``).
        prompt: a key of ``SYSTEM_PROMPTS``: "coe", or "plain" for the ``w/o CoE`` ablation (Table 4), whose SFT
            samples are the bare responses.
        sft_samples: how many SFT samples at most (the paper: 200).
        test_size: test questions (the paper: 2,000 of each corpus).
        val_size: GRPO validation prompts.
        grpo_prompts: GRPO training prompts at most; None for all.
        heldout_fraction: share of the training questions whose triplets evaluate the reward model.
        generic_questions: from how many training questions the generic sentences are mined, at most.
        topic_negatives: how many triplets with a negative about the same matter a response gets, of each such kind;
            more of them make a ranking's interval narrower.
        max_prompt_tokens: longest prompt (the paper: 1,024), by the chat template.
        max_response_tokens: longest response (the paper: 1,024), its end mark included.
        enable_thinking: passed to the chat template (the paper: off).
        license: the corpus's licence, for the dataset card.
        engine: "local", or "ray" for Ray Data.
        workers: processes; None for one a core.
    """

    seed: int = 42
    data_source: str = field(default="sample", metadata={"fits": str.strip, "expected": "a name"})
    format: str = "auto"
    columns: dict[str, str] = field(default_factory=dict)
    crisis_values: list[str] = field(default_factory=list)
    dialogue_post: str = field(default="all", metadata=one_of(("all", "first")))
    dialogue_response: str = field(default="all", metadata=one_of(("all", "first")))
    roles: dict[str, str] = field(default_factory=dict, metadata=_ROLES)
    encoding: str = "utf-8"
    max_bad_records: float = field(default=0.05, metadata=_BAD_SHARE)
    max_record_mb: float = limited(8.0, 0.001)
    train_on: list[str] | None = None
    tests: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    reads: dict[str, ReadConfig] = field(default_factory=dict)
    coe: str | None = None
    cleaning_off: list[str] = field(default_factory=list, metadata=_some_of(RULES))
    min_response_chars: int = limited(MIN_RESPONSE_CHARS, 0)
    mask: list[str] = field(default_factory=lambda: list(ALL_TYPES), metadata=_some_of(ALL_TYPES))
    mask_titled: bool = True
    mask_given: bool = True
    mask_bias: float = limited(1.0, -20, 20)
    mask_model: str | None = None
    emotion_model: str | None = None
    question_threshold: float = limited(0.5, 0.4, 1)
    response_threshold: float = limited(0.8, 0.4, 1)
    risk_in_rl: bool = False
    risk: RiskTaggerConfig = field(default_factory=RiskTaggerConfig)
    prompt: str = field(default="coe", metadata=one_of(SYSTEM_PROMPTS))
    sft_samples: int = limited(200, 1)
    test_size: int = limited(2000, 1)
    val_size: int = limited(100, 1)
    grpo_prompts: int | None = limited(None, 1, expected="1 or more, or null for all")
    heldout_fraction: float = field(default=0.1, metadata=_HELDOUT_SHARE)
    generic_questions: int = limited(4000, 2)
    topic_negatives: int = limited(1, 1)
    max_prompt_tokens: int = limited(1024, 1)
    max_response_tokens: int = limited(1024, 1)
    enable_thinking: bool = False
    license: str = "other"
    engine: str = field(default="local", metadata=one_of(("local", "ray")))
    workers: int | None = limited(None, 1, expected="1 or more, or null for one a core")

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: a value out of its range; the message names the key.
        """
        check(self)

    @property
    def system_prompt(self) -> str:
        """The text of ``prompt``."""
        return SYSTEM_PROMPTS[self.prompt]

    @property
    def template_kwargs(self) -> dict[str, bool]:
        """What every stage passes to the chat template."""
        return {"enable_thinking": self.enable_thinking}

    @property
    def treatment(self) -> TreatmentConfig:
        """What decides how each question is treated."""
        return TreatmentConfig(
            cleaning_off=tuple(sorted(self.cleaning_off)),
            min_response_chars=self.min_response_chars,
            mask=tuple(sorted(self.mask)),
            mask_titled=self.mask_titled,
            mask_given=self.mask_given,
            mask_bias=self.mask_bias,
            mask_model=self.mask_model,
            risk_wording=self.risk.tagger == "wording",
            emotion_model=self.emotion_model,
        )

    def decisive(self) -> dict[str, object]:
        """The keys that the result depends on."""
        own = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in HOW_IT_RUNS}
        return own | {"risk": self.risk.decisive(), "reads": {name: asdict(one) for name, one in self.reads.items()}}
