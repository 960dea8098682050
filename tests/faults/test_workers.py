"""F1 to F3: how many requests are under way at a time, which is what makes a transfer faster than one after the other.

The official SDK sends up to 100 files one after the other, from then on in up to ten threads, with more requests for
each. The rig tells when each request came and went; its latency is so long that a busy computer hardly counts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Connect
from .faultd import Faultd
from .journeys import Journey, What
from .torture import of_all

LATENCY = 0.2
WORKERS = 32


@pytest.mark.parametrize(
    ("what", "count", "least"),
    of_all([("files", 100, 12), ("download", 100, 12)], [("files", 1000, 25), ("download", 500, 20)]),
)
def test_f1_f2_f3_many_requests_are_under_way(
    tmp_path: Path, connected: Connect, what: What, count: int, least: float
) -> None:
    with Faultd(latency=LATENCY) as rig:
        journey = Journey(rig, tmp_path, lambda: connected(rig.url, at_once=WORKERS), what, count=count, size=1000)
        report = journey.run()
        assert journey.verdict(report).clean
        assert report.complete
        told = [one for one in rig.log if "/bucket/" in one.target or "ultipart" in one.target]
    under_way = sum(one.end - one.begin for one in told) / (max(one.end for one in told) - told[0].begin)
    assert least <= under_way <= WORKERS
