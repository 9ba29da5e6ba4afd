"""The metrics against the implementations they are named after, to 1e-9."""

import math
from inspect import signature

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.translate.meteor_score import single_meteor_score
from rouge_chinese import Rouge
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU

from eval.metrics.overlap import METEOR_ALPHA, METEOR_BETA, METEOR_GAMMA, Pair, align, bleu_1, meteor, rouge_l
from eval.metrics.tokens import TOKENIZERS, Tokens, characters, content_words, distinct_1, latin, normalised, words

# Few characters, so that many are equal; letters, digits, white space, an emoji beyond the basic plane.
TEXT = st.text(alphabet="你我他很难过开心的。，a1B \n\U0001f600", max_size=40)
PROSE = st.lists(
    st.sampled_from(["我觉得", "很难过", "失眠", "和父母", "争吵", "。", "1. ", "Tips 2", "想开一点"]), max_size=12
)
TEXTS = TEXT | PROSE.map("".join)


class Exact:
    """Where nltk's METEOR wants a stemmer and WordNet."""

    @staticmethod
    def stem(token: str) -> str:
        return token

    @staticmethod
    def synsets(token: str) -> list[str]:
        return []


def pair(reply: str, reference: str) -> Pair:
    return Pair(Tokens.of(reply), Tokens.of(reference))


def lists(kind: str, *texts: str) -> list[list[str]]:
    """Tokens as the other implementations take them: the code points, which are equal where the tokens are."""
    return [list(TOKENIZERS[kind](text)) for text in texts]


@pytest.mark.parametrize("kind", ["char", "word"])
@given(a=TEXTS, b=TEXTS)
def test_bleu_1_is_nltks_and_sacrebleus(kind: str, a: str, b: str) -> None:
    reply, reference = lists(kind, a, b)
    found = bleu_1(pair("".join(reply), "".join(reference)))
    plain = SmoothingFunction().method0
    if set(reply) & set(reference):
        assert found == pytest.approx(sentence_bleu([reference], reply, (1.0,), plain), abs=1e-9)
    other = BLEU(max_ngram_order=1, tokenize="none", smooth_method="none", lowercase=False, force=True)
    if reply and reference:
        score = other.sentence_score(" ".join(reply), [" ".join(reference)]).score
        assert found == pytest.approx(score / 100, abs=1e-9)


@pytest.mark.parametrize("kind", ["char", "word"])
@given(a=TEXTS, b=TEXTS)
def test_meteor_is_nltks(kind: str, a: str, b: str) -> None:
    reply, reference = lists(kind, a, b)
    expected = single_meteor_score(reference, reply, preprocess=str, stemmer=Exact(), wordnet=Exact())
    assert meteor(pair("".join(reply), "".join(reference))) == pytest.approx(expected, abs=1e-9)


class Split:
    """rouge_score's own scorer on tokens that are there already."""

    def tokenize(self, text: str) -> list[str]:
        return text.split(" ") if text else []


@pytest.mark.parametrize("kind", ["char", "word"])
@settings(deadline=None)
@given(a=TEXTS, b=TEXTS)
def test_rouge_l_is_rouge_scores_on_the_same_tokens(kind: str, a: str, b: str) -> None:
    reply, reference = lists(kind, a, b)
    score = RougeScorer(["rougeL"], tokenizer=Split()).score(" ".join(reference), " ".join(reply))["rougeL"]
    found = rouge_l(pair("".join(reply), "".join(reference)))
    assert found == pytest.approx(score.fmeasure, abs=1e-9)


@settings(deadline=None)
@given(a=TEXTS, b=TEXTS)
def test_rouge_l_is_rouge_chineses(a: str, b: str) -> None:
    reply, reference = lists("char", a, b)
    if not reply or not reference:
        return
    # It adds 1e-8 to the denominator of F1, so F1 is made of its precision and recall here.
    score = Rouge(metrics=["rouge-l"]).get_scores(" ".join(reply), " ".join(reference))[0]["rouge-l"]
    expected = 2 * score["p"] * score["r"] / (score["p"] + score["r"]) if score["p"] else 0.0
    found = rouge_l(pair("".join(reply), "".join(reference)))
    assert found == pytest.approx(expected, abs=1e-9)
    assert found == pytest.approx(score["f"], abs=1e-8)


@settings(deadline=None)
@given(a=TEXTS, b=TEXTS)
def test_latin_rouge_l_is_rouge_scores_own(a: str, b: str) -> None:
    score = RougeScorer(["rougeL"], use_stemmer=False).score(b, a)["rougeL"]
    found = rouge_l(pair(latin(a), latin(b)))
    assert found == pytest.approx(score.fmeasure, abs=1e-9)


def test_the_papers_rouge_l_sees_no_chinese() -> None:
    same = "听起来你这段时间很难过。"
    assert rouge_l(pair(latin(same), latin(same))) == 0.0
    assert rouge_l(pair(characters(same), characters(same))) == 1.0
    listed = "1. 先休息。2. 再谈。"
    assert rouge_l(pair(latin(listed), latin("1. 别急。2. 慢慢来。"))) == 1.0


@given(TEXTS, TEXTS)
def test_matches_are_the_clipped_counts(a: str, b: str) -> None:
    reply, reference = characters(a), characters(b)
    expected = sum(min(reply.count(char), reference.count(char)) for char in set(reply))
    assert align(Tokens.of(reply), Tokens.of(reference)).matches == expected


def test_chunks_are_runs_adjacent_on_both_sides() -> None:
    alignment = align(Tokens.of("abcxde"), Tokens.of("abcde"))
    assert (alignment.matches, alignment.chunks) == (5, 2)


def test_words_keep_apart_and_white_space_is_none() -> None:
    assert len(words("我 很\n难过")) == len(words("我很难过")) > 1
    assert words("难过") != words("开心")
    assert words("难过") == words("难过")
    assert math.isclose(distinct_1(words("难过难过")), 0.5)


def test_distinct_1_of_nothing() -> None:
    assert distinct_1("") == 0.0
    assert distinct_1("aab") == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("抱\u200b抱\u200d你\u2060。\ufeff", "抱抱你。"),  # zero-width space and joiner, word joiner, byte order mark
        ("\u202a难过\u202c", "难过"),  # marks of direction
        ("❤\ufe0f加油", "❤加油"),  # a variation selector
        ("👩\u200d👧", "👩👧"),  # joined emoji are their parts
        ("ＡＢＣ１２０", "ABC120"),
    ],
)
def test_a_reader_sees_the_same_so_the_tokens_are_the_same(written: str, seen: str) -> None:
    assert normalised(written) == seen
    assert characters(written) == characters(seen)
    assert words(written) == words(seen)
    assert distinct_1(characters(written)) == distinct_1(characters(seen))


def test_marks_keep_their_width_and_letters_are_single_tokens_with_their_case() -> None:
    assert normalised("你好，(1)；…①") == "你好，(1)；…①"
    assert characters("Hello 你") == "Hello你"
    assert content_words("1. 难过，ok！") == ["难过", "ok"]


@given(TEXTS)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert normalised(text) == text


def test_rouge_scores_own_tokens_are_left_as_they_are() -> None:
    written = "１2\u200b3"
    assert len(latin(written)) == 2
    score = RougeScorer(["rougeL"], use_stemmer=False).score("2", written)["rougeL"]
    assert rouge_l(pair(latin(written), latin("2"))) == pytest.approx(score.fmeasure)


def test_meteors_parameters_are_nltks_and_those_of_2005() -> None:
    known = signature(single_meteor_score).parameters
    assert (known["alpha"].default, known["beta"].default, known["gamma"].default) == (0.9, 3.0, 0.5)
    assert (METEOR_ALPHA, METEOR_BETA, METEOR_GAMMA) == (0.9, 3.0, 0.5)
    # Banerjee and Lavie, 2005: 10 PR / (R + 9P), less half of the cubed share of chunks.
    assert meteor(pair("abxc", "abc")) == pytest.approx((10 * 0.75 * 1 / (1 + 9 * 0.75)) * (1 - 0.5 * (2 / 3) ** 3))
