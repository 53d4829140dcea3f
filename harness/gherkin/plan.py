"""What a feature has said so far: the scenario that its When will run."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.scenario.model import BrokerPart, Injection, Scenario, WorkflowPart

# The drill goes on until the system has recovered or this has passed; the Thens hold the real time against their own.
_LONGEST_RECOVERY_S = 120.0


@dataclass(slots=True)
class DrillPlan:
    """A scenario that is still being told.

    Args:
        name: what it will be called.
        about: one sentence for people.
        faults: what goes wrong.
        broker: how the gateway stand-in behaves.
    """

    name: str
    about: str
    faults: list[Injection] = field(default_factory=list)
    broker: BrokerPart = field(default_factory=BrokerPart)

    def scenario(self, symbols: list[str]) -> Scenario:
        """The whole scenario, for these symbols.

        How the run may end is left open where something goes wrong: a Then says it, after the run.
        """
        return Scenario(
            name=self.name,
            about=self.about,
            workflow=WorkflowPart(symbols=symbols),
            broker=self.broker,
            faults=self.faults,
            outcomes=["success", "degraded", "failed"] if self.faults else ["success"],
            recovery_limit_s=_LONGEST_RECOVERY_S,
        )
