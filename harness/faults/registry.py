"""Every fault that a scenario may name: adding one means its own file and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from harness.faults.link.answer_lost import AnswerLost
from harness.faults.link.blackhole import Blackhole
from harness.faults.link.fault import LinkFault
from harness.faults.link.latency import Latency
from harness.faults.link.refused import Refused
from harness.faults.link.reset import Reset

LINK_FAULTS: Mapping[str, type[LinkFault]] = {
    "answer-lost": AnswerLost,
    "blackhole": Blackhole,
    "latency": Latency,
    "refused": Refused,
    "reset": Reset,
}
