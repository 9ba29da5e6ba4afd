"""Names of platforms and games on which a person has an account: what `user_names` and `screen_names` look for."""

from collections.abc import Collection
from typing import Final

_SITE_WORDS: Final = tuple(
    "抖音 小红书 小红薯 微博 围脖 b站 哔站 阿b 哔哩哔哩 bilibili 快手 知乎 豆瓣 贴吧 虎扑 视频号 陌陌 探探 他趣 伊对 积目 青藤之恋 即刻 脉脉 "
    "世纪佳缘 珍爱网 百合网 淘宝 闲鱼 咸鱼 拼多多 转转 得物 京东 支付宝 网易云 网易云音乐 qq音乐 汽水音乐 酷狗 喜马拉雅 荔枝fm 猫耳 全民k歌 唱吧 "
    "lofter 老福特 ao3 半次元 晋江 番茄小说 起点 推特 twitter instagram ins ig threads facebook fb 脸书 telegram 纸飞机 tg line whatsapp "
    "discord tiktok dy skype youtube 油管 dcard kakaotalk reddit github 钉钉 飞书 学习通 头条 西瓜视频 壹心理 简单心理 虎牙 斗鱼 yy 比心 "
    "小黑盒 米游社 taptap 酷安 nga 知识星球 keep soul tinder bumble 社交媒体 社交平台 社交软件 交友软件 交友平台 交友网站".split()
)
_GAME_WORDS: Final = tuple(
    "steam switch 任天堂 psn ps4 ps5 xbox epic 战网 王者 王者荣耀 吃鸡 和平精英 原神 英雄联盟 英雄联盟手游 lol 蛋仔 蛋仔派对 光遇 星穹铁道 崩铁 "
    "崩坏 崩坏3 绝区零 鸣潮 第五人格 阴阳师 永劫 永劫无间 金铲铲 穿越火线 cf dnf 地下城 我的世界 minecraft roblox 迷你世界 三角洲 三角洲行动 "
    "暗区突围 炉石 炉石传说 明日方舟 绝地求生 pubg 逆水寒 恋与深空 恋与制作人 剑网3 剑网三 剑三 梦幻西游 大话西游 魔兽 魔兽世界 瓦罗兰特 无畏契约 "
    "valorant csgo cs2 守望先锋 ow qq飞车 跑跑卡丁车 火影 火影忍者 狼人杀 元梦之星 皇室战争 部落冲突 使命召唤 燕云十六声 闪耀暖暖 无限暖暖 "
    "三国杀 斗地主 手游 网游 端游 页游 游戏".split()
)


def _pattern(words: Collection[str]) -> str:
    """Any of the words, the longest first; a Latin one not within another. Most places fail at its first character."""
    return (
        f"(?=[{''.join(sorted({word[0] for word in words}))}])(?:"
        + "|".join(
            ("(?<![a-z])" if word[0].isascii() else "") + word + ("(?![a-z])" if word[-1].isascii() else "")
            for word in sorted(words, key=len, reverse=True)
        )
        + ")"
    )


SITES: Final = f"(?:{_pattern(_SITE_WORDS)})"
GAMES: Final = f"(?:{_pattern(_GAME_WORDS)})"
ANY: Final = f"(?:{_pattern((*_SITE_WORDS, *_GAME_WORDS))})"
