"""A counselling question with all its human responses: the record that data preparation works on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One long counselling post, as section 2 of the paper describes it, with all its human responses.

    Attributes:
        id: unique within its corpus.
        title: the question in a line.
        description: the post itself, in characters the unit of every length here.
        topic: the corpus's own label; "" where the corpus has none.
        subtopic: its finer label; "" where there is none.
        responses: human responses; at least one after cleaning.
        coe: a reviewed CoE chain, L1 to L4; None where the corpus brings none.
        crisis: the corpus marks the asker as being at acute risk. Such a post is never an RL prompt.
        risks: categories of ``data_prep.risk`` whose rules match the post. Such a post is no RL prompt by default.
        group: the id that stands for all near-duplicates of this question; "" before they are looked for.
        emotion: label of the post; "" before labelling, or where it shows none.
        response_emotions: label of each response; empty before labelling.
    """

    id: str
    title: str
    description: str
    topic: str
    responses: tuple[str, ...]
    coe: tuple[str, str, str, str] | None = None
    crisis: bool = False
    subtopic: str = ""
    risks: tuple[str, ...] = ()
    group: str = ""
    emotion: str = ""
    response_emotions: tuple[str, ...] = ()

    @property
    def at_risk(self) -> bool:
        """Whether the corpus marks acute risk or a risk rule matches."""
        return self.crisis or bool(self.risks)

    @property
    def post(self) -> str:
        """The user turn and the reward model's question: title and description (section 2)."""
        return f"{self.title}\n{self.description}" if self.description else self.title
