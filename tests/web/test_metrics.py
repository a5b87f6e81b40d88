"""What Prometheus reads."""

from collections.abc import Iterator
from dataclasses import dataclass

from cheng.web.metrics import Counts, Sample, exposition, samples


class Part:
    def counters(self) -> Iterator[Sample]:
        yield "cheng_readings_total", "Readings taken.", {"door": 'm"q\\tt\n'}, 3


@dataclass
class Whole:
    part: Part
    counters: int = 3


def test_every_part_that_counts_is_asked() -> None:
    counts = Counts()
    counts.add("cheng_open", "Open pages.", 2)
    counts.add("cheng_open", "Open pages.", -1)
    assert exposition(samples(Whole(Part()), counts)) == (
        "# HELP cheng_open Open pages.\n# TYPE cheng_open gauge\ncheng_open 1\n"
        "# HELP cheng_readings_total Readings taken.\n# TYPE cheng_readings_total counter\n"
        'cheng_readings_total{door="m\\"q\\\\tt\\n"} 3\n'
    )


def test_a_histogram_is_one_family() -> None:
    parts = [("cheng_wait_bucket", "Waits.", {"le": "0.1"}, 2.0), ("cheng_wait_count", "Waits.", {}, 2.0)]
    assert exposition(parts) == (
        '# HELP cheng_wait Waits.\n# TYPE cheng_wait histogram\ncheng_wait_bucket{le="0.1"} 2\ncheng_wait_count 2\n'
    )
