"""Advertisements and solicitations: what is one, and what a counsellor may well say."""

from pathlib import Path

import pytest

from data_prep.cleaning import solicitation
from data_prep.cleaning.solicitation import ENOUGH, advertisement_share, cut_solicitations, solicitation_score

SOLICITING = [
    "加我微信，免费领取情绪自救资料包。",
    "需要的朋友可以加我微信：abc12345。",
    "私信我，免费送你一份心理测评报告！",
    "如果还有困惑，可以私信我哦！",
    "有困惑，可私信！",
    "咨询请点击头像。",
    "点我头像可以预约咨询哦。",
    "欢迎关注我！",
    "喜欢就关注我哦。",
    "关注我的公众号，每天学一点心理学。",
    "关注公众号，回复“放松”领取音频。",
    "扫描下方二维码进群。",
    "长按识别二维码，报名训练营。",
    "限时优惠，原价399，现价仅需99元！",
    "我的情绪管理课程正在优惠，名额有限，欢迎报名。",
    "咨询电话：13800001111，一对一服务。",
    "专业承接论文代写，联系QQ：123456789。",
    "诚招线上兼职，日结，手机即可操作。",
    "情感挽回有偿可接，加v了解。",
]

HONEST = [
    "如果需要，可以预约心理咨询。",
    "试着多关注自己的感受，也关注我们身边的人。",
    "你可以私信朋友，把这些话告诉他。",
    "他私信我说想见面，我该怎么办？",
    "加油，抱抱你！",
    "他加了你的微信，却一直不说话。",
    "可以拨打全国统一心理援助热线12356。",
    "必要时拨打北京心理危机干预热线010-82951332。",
    "网上让你加我微信领取礼品的，多半是骗子。",
    "你可以在医院的公众号上挂号。",
    "推荐你读《被讨厌的勇气》，图书馆就能免费借到。",
    "学校心理中心提供免费的一对一咨询，可以去报名。",
    "给自己点个赞，你已经做得很好。",
    "总觉得会有人关注我，其实大家都很忙。",
    "看到她换了头像，你心里一定不好受。",
    "家教一节课150元，你觉得太贵也很正常。",
    "商家先搞免费领课，再让人买更贵的。",
    "愿意的话，欢迎你再来这里说说。",
]


@pytest.mark.parametrize("sentence", SOLICITING)
def test_soliciting(sentence: str) -> None:
    assert solicitation_score(sentence) >= ENOUGH
    assert cut_solicitations(sentence) == ""


@pytest.mark.parametrize("sentence", HONEST)
def test_honest(sentence: str) -> None:
    assert solicitation_score(sentence) < ENOUGH
    assert cut_solicitations(sentence) == sentence


def test_only_the_sentence_is_cut() -> None:
    text = "先好好睡一觉。如果还有困惑，可以私信我哦！\n明天再想。"
    assert cut_solicitations(text) == "先好好睡一觉。\n明天再想。"
    assert advertisement_share(text) == pytest.approx(14 / len(text))
    assert advertisement_share("") == 0


def test_a_bad_line_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "solicitation.txt"
    path.write_text("# why\n3 私信 私信我\n", encoding="utf-8")
    monkeypatch.setattr(solicitation, "_LIST", path)
    with pytest.raises(
        ValueError, match=r"solicitation\.txt:2: found '3 私信 私信我', expected: score  words  pattern"
    ):
        solicitation._patterns.__wrapped__()
