"""Risk tags: levels, what is passed over and why, recall and precision on the written sets, rule files with faults."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.code import REPO
from data_prep.risk import KINDS, Risk, RiskRules, RiskRulesError
from data_prep.risk.measure import TUNED, WRITTEN, main, measure, read_labelled
from data_prep.risk.reading import RULES, PatternError, parse_pattern


@pytest.fixture(scope="module")
def rules() -> RiskRules:
    return RiskRules.load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


@pytest.mark.parametrize(("name", "recall", "precision"), [(TUNED, 0.97, 0.93), ("sealed", 0.92, 0.88)])
def test_recall_and_precision_on_the_written_sets(rules: RiskRules, name: str, recall: float, precision: float) -> None:
    score = measure(rules, read_labelled(WRITTEN[name]))
    assert score.recall >= recall
    assert score.precision >= precision


def test_every_rule_matches_its_examples_and_has_some(rules: RiskRules) -> None:
    for rule in rules.rules:
        assert rule.examples, rule.name
        for example in rule.examples:
            found = {(match.kind, match.rule) for match in rules.explain(example)}
            assert (rule.kind, rule.name) in found, f"{rule.kind}, {rule.name}: {example}"


@pytest.mark.parametrize(
    "text",
    [
        "我没有自杀的念头",
        "从来没有想过自杀，也不想死",
        "无自伤行为，无伤害他人的想法",
        "我没有伤害过自己",
        "他从来不打我",
        "这个段子笑死我了",
        "想死你了，什么时候回来",
        "尴尬死了，直接社死",
        "打死我也不去",
        "我每天给他打电话，他打篮球",
        "小说里女主角最后跳崖了",
        "看了一部讲校园霸凌的电影",
        "我在写自杀预防的论文",
        "在酒店上班，朋友说我有酒窝",
        "周末玩剧本杀",
        "楼下那家刀削面关门了",
        "和朋友玩狼人杀，被刀了一晚上",
        "自助餐撑死我了，走不动路",
        "那次翻车我算是死里逃生",
        "忙得半死，老板还不满意",
        "爸爸收藏的军刀被我弄丢了",
        "累死了累死了，只想回家躺着",
        "妈妈切菜切到手，流了好多血，吓死我了",
        "奶奶因为肺癌去世了，葬礼上我没哭出来",
        "爸爸有糖尿病，每天打胰岛素，吃多了就不行，体重往下掉",
        "确诊糖尿病三年，每天打四针胰岛素，不能吃甜的，瘦了十斤",
        "我最近很绝望，不知道该怎么办",
        "方案改到想跳楼，周末睡了一觉就好了",
        "教练说我再压线他就从车上跳下去，全车的人都笑了",
        "我在写小说，第三章里他为了救人，把所有的后路都断了，最后在山顶跳崖",
        "医生带教的时候送来一个吞药的，我第一次上手",
        "昨天像被人揍了一顿，浑身酸",
        "房东催我搬家，我把猫送给了朋友",
        "",
    ],
)
def test_negation_metaphor_fiction_and_a_single_hint_are_no_risk(rules: RiskRules, text: str) -> None:
    assert rules(text) == Risk()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("医生问我有没有自杀的念头，我骗了他", "suicide"),
        ("没有人知道我想自杀", "suicide"),
        ("我特别想死", "suicide"),
        ("男主管打我", "abuse"),
        ("数学课上我用圆规扎自己", "self_harm"),
        ("我没有活下去的勇气", "suicide"),
        ("累死了，笑死我了，可是我真的想死", "suicide"),
        ("已经两个月没伤害自己了", "self_harm"),
        ("他动不动就打我", "abuse"),
        ("我有死的计划", "suicide"),
        ("我想吞K粉，吸毒三年", "substance"),
    ],
)
def test_what_only_looks_negated_is_tagged(rules: RiskRules, text: str, kind: str) -> None:
    assert kind in rules(text).kinds


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("爸爸又打我了", "acute"),
        ("小时候爸爸经常打我", "concern"),
        ("小时候爸爸打我，现在还打我", "acute"),
        ("以前自残过", "concern"),
        ("以前自残过，最近又开始自残", "acute"),
        ("2007年的时候我自杀过", "concern"),
        ("我想就这样消失", "concern"),
        ("看不到希望，我真的撑不下去了", "concern"),
        ("脑子里有个声音让我跳下去", "acute"),
        ("确诊精神分裂三年", "concern"),
        ("真想嘎了算了", "acute"),
        ("昨天吃了一整瓶yao", "acute"),
        ("房子退租了，狗也送人了。妈妈，你要照顾好自己。", "concern"),
    ],
)
def test_levels(rules: RiskRules, text: str, level: str) -> None:
    assert rules(text).level == level


def test_hints_of_one_rule_are_one_hint(rules: RiskRules) -> None:
    assert rules("我绝望了。真的很绝望。只有绝望。") == Risk()
    assert rules("我绝望了。我撑不下去了。") == Risk("concern", ("other",))


def test_hints_of_one_kind_by_two_patterns_are_a_concern(rules: RiskRules) -> None:
    assert rules("吉他卖了二手。票也不用买了。").level == "concern"
    assert rules("吉他卖了二手。钢琴也卖了二手。") == Risk()


def test_hints_of_two_kinds_say_nothing_together(rules: RiskRules) -> None:
    weight, child = "体重又涨了", "邻居的孩子总在哭"
    assert {match.kind for match in rules.explain(weight + child)} == {"eating", "child_in_danger"}
    assert rules(f"{weight}。{child}。") == Risk()


def test_hints_have_to_stand_apart(rules: RiskRules) -> None:
    assert len({match.rule for match in rules.explain("停药了")}) > 1
    assert rules("停药了") == Risk()


def test_jest_is_heard_only_for_some_kinds(rules: RiskRules) -> None:
    assert rules("他吐槽说想跳楼") == Risk()
    assert rules("他又打我，还滑稽地学我哭").level == "acute"
    assert rules("我说想自杀，大家都当我开玩笑").level == "acute"


def test_the_documentation_names_every_kind() -> None:
    told = (REPO / "docs" / "data.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in told] == []


def test_kinds_come_in_their_order(rules: RiskRules) -> None:
    text = "他酗酒，家暴，催吐，说要杀了我，我开始自残，想自杀，被猥亵过，出现幻听"
    found = rules(text).kinds
    assert found == tuple(kind for kind in KINDS if kind in found)
    assert set(KINDS) - set(found) == {"child_in_danger", "other"}


def test_explain_gives_the_places(rules: RiskRules) -> None:
    text = "她ＡBC，最近总说想自杀。İ我用刀片划手腕"
    found = {(match.kind, match.weight, text[match.start : match.end]) for match in rules.explain(text)}
    assert ("suicide", "acute", "自杀") in found
    assert ("self_harm", "acute", "刀片划手腕") in found


def test_gaps_end_with_their_limits(rules: RiskRules) -> None:
    assert "self_harm" in rules("用打火机慢慢烫自己").kinds
    assert rules("拿着打火机。面很烫，肩膀也酸") == Risk()


@given(st.text(alphabet="我想死自杀他打吃吐酒刀划手，。 没有的aZ", max_size=60))
def test_any_text_is_explained_within_its_bounds(text: str) -> None:
    for match in _RULES.explain(text):
        assert 0 <= match.start < match.end <= len(text)


_RULES = RiskRules.load()


def test_a_long_text_of_dense_cues_ends(rules: RiskRules) -> None:
    text = "我想他打我，手上有刀，吃了又吃，天天喝酒。"
    assert rules(text * 5_000) == rules(text)


def test_one_sentence_matches_as_often_as_it_stands_there(rules: RiskRules) -> None:
    text = "我想他打我，手上有刀，吃了又吃，天天喝酒。"
    # Quadratic work would join words of sentences far apart, so the matches would outgrow the text.
    assert len(rules.explain(text * 200)) == 200 * len(rules.explain(text))


def test_a_megabyte_without_a_break_ends(rules: RiskRules) -> None:
    assert rules("我想" * 500_000) == Risk()


def test_pattern_language() -> None:
    slots = parse_pattern("(真的|好)?想死…<身体>", {"身体": "手|(手)?腕"})
    assert [slot.words for slot in slots] == [{"想死", "真的想死", "好想死"}, {"手", "腕", "手腕"}]
    assert [slot.gap.limit for slot in slots] == [0, 6]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(想|要死", r"\( without \)"),
        ("想|要)死", r"\) without \("),
        ("想…(死)?", "may stand for nothing"),
        ("<人>死", "'<人>' is no list"),
        ("?死", "is no list"),
        ("想|要…死", r"\| outside brackets"),
        ("(一|二|三|四|五|六|七|八|九|十)" * 5, "over 20000 words"),
    ],
)
def test_bad_patterns(pattern: str, message: str) -> None:
    with pytest.raises(PatternError, match=message):
        parse_pattern(pattern, {})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gambling", "a: 1", "'gambling'"),
        ("abuse", "", "abuse.yaml: empty"),
        ("abuse", "rules: [", "no YAML in UTF-8"),
        ("abuse", "definition: x\n", r"abuse.yaml, line 1: keys \['definition'\]"),
        ("common", "- 1\n", "line 1: a YAML seq, expected keys and values"),
    ],
)
def test_bad_rule_files(folder: Path, name: str, content: str, message: str) -> None:
    (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(RiskRulesError, match=message):
        RiskRules.load(folder)


def test_a_bad_pattern_is_told_by_file_and_line(folder: Path) -> None:
    path = folder / "self_harm.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines) if line.startswith("      - "))
    lines[number] = "      - (自残"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(RiskRulesError, match=rf"self_harm.yaml, line {number + 1}: .*brackets"):
        RiskRules.load(folder)


def test_a_bad_weight_is_told(folder: Path) -> None:
    path = folder / "abuse.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("weight: hint", "weight: mild"), encoding="utf-8")
    with pytest.raises(RiskRulesError, match=r"abuse\.yaml, line \d+: weight 'mild', expected one of"):
        RiskRules.load(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    named: yes", "    named: no", r"named: 'no' of weight 'acute', expected yes, of acute"),
        ("weight: hint", "weight: hint\n    named: yes", r"named: 'yes' of weight 'hint', expected yes, of acute"),
        ("    named: yes", "    nmaed: yes", r"keys \[.*'nmaed'.*\], expected \[.*\] and perhaps named"),
    ],
)
def test_a_bad_mark_of_a_named_rule_is_told(folder: Path, old: str, new: str, message: str) -> None:
    path = folder / "abuse.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RiskRulesError, match=rf"abuse\.yaml, line \d+: {message}"):
        RiskRules.load(folder)


def test_a_missing_file_is_told(folder: Path) -> None:
    (folder / "abuse.yaml").unlink()
    with pytest.raises(RiskRulesError, match=r"abuse\.yaml: missing"):
        RiskRules.load(folder)


def test_labelled_lines_with_faults(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    for line in ('{"text": "a"}', "[", '{"text": "a", "kinds": ["gambling"]}'):
        path.write_text(line, encoding="utf-8")
        with pytest.raises(ValueError, match=r"x.jsonl:1: .*(Correct|the line)"):
            read_labelled(path)


def test_the_sets_share_no_text() -> None:
    texts = [item.text for path in WRITTEN.values() for item in read_labelled(path)]
    assert len(texts) == len(set(texts))


def test_measure_prints_misses_and_false_alarms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "天气很好", "kinds": ["abuse"]}\n{"text": "我被家暴", "kinds": []}\n', encoding="utf-8")
    main([str(path), "--show"])
    printed = capsys.readouterr().out
    assert "| x.jsonl |         1 |    0.000 |        1 |       0.000 |" in printed
    assert "missed: 天气很好" in printed
    assert "false alarm: 我被家暴" in printed
    assert "'家暴'" in printed
