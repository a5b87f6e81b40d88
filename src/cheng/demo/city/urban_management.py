"""What citizens, callers, collectors and cameras of the invented city report, most of it before noon."""

from dataclasses import replace

import numpy as np

from cheng.demo.town import Town
from cheng.demo.voices import Voices
from cheng.infrastructure.class_book import ClassBook
from cheng.infrastructure.report_book import NewReport
from cheng.kernel.classes import CaseClass

FLOW = "urban_management.handle_report"
SOURCES = {"collector": 0.58, "hotline": 0.15, "citizen": 0.14, "wechat": 0.07, "video": 0.06}
OFTEN = {
    "E0101": 4,
    "E0102": 16,
    "E0103": 6,
    "E0104": 14,
    "E0105": 2,
    "E0106": 5,
    "E0501": 9,
    "E0502": 8,
    "E0503": 12,
    "E0504": 10,
    "C0201": 2,
    "C0301": 3,
}
"""How often a class is reported, in comparison; every other one counts once in four."""
RARE = 0.25
ON_THE_SPOT = 0.12
"""Share of what collectors find that they put right themselves, where a condition allows it."""
UNNAMED = 0.1
"""Share of citizens who do not know what it is called."""


class Streets(Voices):
    """Reports about the streets: at the kerb, with the class most of them know."""

    app = "urban_management"
    again = 0.04
    hours = (1, 1, 1, 1, 1, 2, 4, 8, 13, 15, 16, 12, 7, 7, 10, 12, 11, 9, 7, 6, 5, 4, 3, 2)

    def __init__(self, town: Town, a_day: int, classes: ClassBook) -> None:
        super().__init__(town, a_day, classes)
        self.known = [one for one in classes.all(FLOW) if one.kind != "service"]
        weights = np.array([OFTEN.get(one.code, RARE) for one in self.known])
        self.weights = weights / weights.sum()
        self.sources = list(SOURCES)

    def say(self, rng: np.random.Generator, at: int, number: str) -> NewReport:
        source = self.sources[int(rng.choice(len(self.sources), p=list(SOURCES.values())))]
        one = self.known[int(rng.choice(len(self.known), p=self.weights))]
        road = self.town.roads[int(rng.integers(len(self.town.roads)))]
        metres = float(rng.uniform(10, max(road.metres - 10, 11)))
        public = source in ("citizen", "hotline", "wechat")
        spot = source == "collector" and rng.random() < ON_THE_SPOT and any(c.simple for c in one.conditions)
        return NewReport(
            flow=FLOW,
            source=source,
            text=self.words(rng, one, road.name, source),
            class_code="" if public and rng.random() < UNNAMED else one.code,
            place=road.at(metres),
            address=f"{road.name}{int(metres // 12) + 1}号附近",
            name="市民" if public else "",
            phone=f"138{int(rng.integers(10**8)):08d}" if source == "hotline" else "",
            key=f"demo-{number}",
            simple=bool(spot),
            lang="zh_CN",
        )

    def say_again(self, rng: np.random.Generator, before: NewReport, number: str) -> NewReport:
        """A caller a few steps further on, in words of their own."""
        longitude, latitude = before.place or self.town.roads[0].at(0)
        aside = rng.normal(0, 0.0001, 2)
        return replace(
            before,
            source="hotline",
            text=f"来电反映：{before.text.partition('：')[2] or before.text}",
            place=(longitude + float(aside[0]), latitude + float(aside[1])),
            phone=f"139{int(rng.integers(10**8)):08d}",
            name="市民",
            key=f"demo-{number}",
            simple=False,
        )

    def words(self, rng: np.random.Generator, one: CaseClass, road: str, source: str) -> str:
        condition = one.conditions[int(rng.integers(len(one.conditions)))] if one.conditions else None
        found = condition.text_zh if condition else one.name_zh
        before = {"hotline": "来电反映：", "wechat": "微信留言：", "video": "视频巡查发现："}.get(source, "")
        return f"{before}{road}，{found}"


CASTS = ()
VOICES = ((Streets, 240),)
