"""Every error that the harness raises on purpose.

    HarnessError                      exit 3: the drill says nothing about the system
    ├── UsageError                    exit 2: what was asked for cannot be run
    │   ├── StackError                the compose file is wrong
    │   ├── ScenarioError             a scenario file is wrong, or names something unknown
    │   └── UnsafeTarget              a live account or port; refused before anything starts
    ├── SetUpError                    a tool that the drill needs is missing on this machine
    ├── PortsExhausted                no free ports in the range that the harness may use
    ├── StartFailed                   a service ended, or was never ready, while the stack came up
    ├── NotSteady                     the system does not even work without a fault
    ├── DeadlineExceeded              a wait ran out; carries what was waited for and the evidence
    ├── ControlHung                   a Toxiproxy did not answer its control call in time
    ├── StackLost                     what the stack runs on went away: nothing more can be drilled on it
    ├── Unforeseen                    an exception that no part of the harness expected; its trace is in a file
    └── ReportNotWritten              the folder for the report cannot be written

An error is for a person: what was expected, what came, why it matters, what to do. ``str(error)`` is one line; the
rest is in ``evidence``, which goes to the log.
"""

from __future__ import annotations

NO_ROOM = "No space left on device"
"""What every program says that finds the disk full, for that is what Linux calls it."""


class HarnessError(Exception):
    """Something kept the harness from finding out how the system behaves.

    Args:
        message: one line: what was expected, what came, and what to do about it.
        evidence: further lines for the log (the last output of a process, an answer's body).
        service: the service whose log explains it, if it is one's.
    """

    exit_code = 3

    def __init__(self, message: str, *, evidence: str = "", service: str = "") -> None:
        super().__init__(message)
        self.evidence = evidence
        self.service = service


class UsageError(HarnessError):
    """What was asked for cannot be run as it was asked."""

    exit_code = 2


class StackError(UsageError):
    """The compose file does not describe a stack that the harness can run."""


class ScenarioError(UsageError):
    """A scenario is wrong, or names something that does not exist."""


class UnsafeTarget(UsageError):
    """The target is not a stand-in or a paper account."""


class SetUpError(HarnessError):
    """A tool that the drill needs is missing and could not be made."""


class PortsExhausted(HarnessError):
    """No free ports are left in the range that the harness may use."""


class StartFailed(HarnessError):
    """A service of the stack ended, or never became ready, while the stack came up."""


class NotSteady(HarnessError):
    """The steady state does not hold; the message says what is missing."""


class DeadlineExceeded(HarnessError):
    """A wait ran out of time."""


class ControlHung(HarnessError):
    """A Toxiproxy server did not answer a control call within its deadline."""


class StackLost(HarnessError):
    """What the stack runs on went away."""


class Unforeseen(HarnessError):
    """An exception that no part of the harness expected."""


class ReportNotWritten(HarnessError):
    """The report could not be written."""
