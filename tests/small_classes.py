"""A class of cases to test with."""

from cheng.kernel.classes import CaseClass, FilingCondition
from cheng.standards.durations import hours, working_days

MISSING = FilingCondition(
    "missing", "The cover is gone.", "井盖缺失。", hours(2), "A cover lies flush.", "井盖已补齐。", simple=False
)
NOISY = FilingCondition("noisy", "It rattles.", "有异响。", working_days(2), "It is quiet.", "无异响。")
COVER = CaseClass(
    "C0101", "component", "Utilities", "公用设施", "Water cover", "上水井盖", (MISSING, NOISY), "{street} water crew"
)
