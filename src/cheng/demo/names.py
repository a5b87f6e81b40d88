"""Names of the invented city, in Chinese and in Latin letters."""

from dataclasses import dataclass

import numpy as np

HEADS = (
    "金 Jin,石 Shi,清 Qing,翠 Cui,松 Song,桂 Gui,梅 Mei,竹 Zhu,柳 Liu,荷 He,凤 Feng,鹤 He,龙 Long,虎 Hu,观 Guan,"
    "望 Wang,朝 Chao,长 Chang,永 Yong,安 An,和 He,福 Fu,平 Ping,兴 Xing"
)
TAILS = (
    "山 shan,岩 yan,溪 xi,桥 qiao,滩 tan,湾 wan,坪 ping,坝 ba,井 jing,湖 hu,泉 quan,林 lin,园 yuan,塘 tang,岭 ling,"
    "台 tai,门 men,庙 miao,港 gang"
)
STREET_HEADS = (
    "人 Ren,中 Zhong,建 Jian,学 Xue,迎 Ying,和 He,青 Qing,红 Hong,银 Yin,玉 Yu,天 Tian,云 Yun,文 Wen,新 Xin,华 Hua,"
    "东 Dong,南 Nan,西 Xi,北 Bei,春 Chun,秋 Qiu,明 Ming,光 Guang,景 Jing,瑞 Rui,祥 Xiang,嘉 Jia,锦 Jin,星 Xing,"
    "黄 Huang,大 Da,上 Shang,五 Wu,七 Qi,百 Bai,万 Wan,宝 Bao,仁 Ren,德 De,通 Tong"
)
STREET_TAILS = (
    "民 min,山 shan,设 she,府 fu,宾 bin,平 ping,年 nian,岩 yan,杏 xing,竹 zhu,桥 qiao,阳 yang,风 feng,华 hua,溪 xi,"
    "星 xing,泰 tai,康 kang,园 yuan,湖 hu,峰 feng,江 jiang,城 cheng,门 men,楼 lou,井 jing,塘 tang,台 tai,堡 bao,坡 po,"
    "石 shi,梁 liang,洞 dong,林 lin,槐 huai,柏 bai,莲 lian,鹭 lu,雁 yan,渡 du"
)
ENDINGS = {
    "motorway": ("快速路", "Expressway"),
    "trunk": ("大道", "Avenue"),
    "primary": ("大道", "Avenue"),
    "secondary": ("路", "Road"),
    "tertiary": ("路", "Road"),
    "minor": ("街", "Street"),
    "path": ("步道", "Trail"),
    "steps": ("梯坎", "Steps"),
    "bridge": ("大桥", "Bridge"),
    "tunnel": ("隧道", "Tunnel"),
    "lane": ("巷", "Lane"),
}
AGAIN = ("", "一", "二", "三", "四", "五", "六", "七", "八", "九")


@dataclass(frozen=True)
class Name:
    """As the people there write it, and in Latin letters."""

    zh: str
    en: str

    def with_ending(self, zh: str, en: str) -> "Name":
        return Name(self.zh + zh, f"{self.en} {en}")


def words(rng: np.random.Generator, heads: str, tails: str) -> list[Name]:
    """Every head with every tail, shuffled."""
    first, second = ([part.split() for part in parts.split(",")] for parts in (heads, tails))
    found = [Name(a + b, a_en + b_en) for a, a_en in first for b, b_en in second if a != b]
    return [found[n] for n in rng.permutation(len(found))]


class Streets:
    """Names for streets, none of them twice."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self._words = {ending: words(rng, STREET_HEADS, STREET_TAILS) for ending in dict.fromkeys(ENDINGS.values())}
        self._used = dict.fromkeys(self._words, 0)

    def next(self, kind: str) -> Name:
        """The next name for a street of this kind."""
        ending = ENDINGS[kind]
        number = self._used[ending]
        self._used[ending] += 1
        again, which = divmod(number, len(self._words[ending]))
        return self._words[ending][which].with_ending(AGAIN[again % len(AGAIN)] + ending[0], ending[1])
