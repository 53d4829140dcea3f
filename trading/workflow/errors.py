"""Every error that the workflow raises on purpose.

WorkflowError
├── Transient                 the same task may succeed when it is tried again
│   ├── GatewayUnavailable    the gateway could not be reached within the time allowed
│   ├── GatewayLost           the connection ended while something was asked
│   ├── GatewaySilent         a request was not answered in time
│   ├── RunDatabaseUnavailable orders, trades and runs cannot be recorded now
│   ├── BackendUnavailable    the artifacts API did not store an artifact now
│   └── AnalysisUnavailable   the analysis endpoint did not answer now
├── RunSkipped                nothing is wrong, and nothing is to be done: the exchange is closed
└── Permanent                 trying again cannot help, or must not be done
    ├── SettingsInvalid       a setting has a value that is not allowed
    ├── GatewayRefused        the gateway answered a request with an error
    ├── AccountNotPaper       the gateway trades with real money
    ├── DataUnfit             market data are missing, empty, stale or inconsistent
    ├── ArtifactInvalid       an artifact cannot be what it says it is
    ├── ArtifactRejected      the artifacts API will not take an artifact
    │   └── ClientRefused     the artifacts API will not take anything from us
    ├── SpoolFull             an artifact can be stored neither in the backend nor in the spool
    ├── SpoolBroken           the spool's file cannot be read or written
    ├── AnalysisUnusable      the analysis endpoint refused, or its answer is not of the form that was asked for
    ├── OrderUnknown          it could not be found out whether the gateway has an order
    └── RunFailed             a task of the run failed; raised by the last task
"""

from __future__ import annotations


class WorkflowError(Exception):
    """Something went wrong that the workflow knows by name."""


class Transient(WorkflowError):
    """The same task may succeed when it is tried again."""


class Permanent(WorkflowError):
    """Trying again cannot help, or must not be done."""


class RunSkipped(WorkflowError):
    """A scheduled run fell on a day on which the exchange is closed."""


class GatewayUnavailable(Transient):
    """The gateway could not be reached within the time allowed."""


class GatewayLost(Transient):
    """The connection to the gateway ended while something was asked of it."""


class GatewaySilent(Transient):
    """The gateway did not answer a request in time."""


class RunDatabaseUnavailable(Transient):
    """The database of orders, trades and runs cannot be used now."""


class BackendUnavailable(Transient):
    """The artifacts API did not store an artifact in this attempt.

    Args:
        cause: the failure's class, one word, as it stands in logs.
        message: what happened.
        retry_after_s: seconds that the backend asked us to wait, when it did.
        status: of its answer, when there was one.
    """

    def __init__(
        self, cause: str, message: str, *, retry_after_s: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.retry_after_s = retry_after_s
        self.status = status


class AnalysisUnavailable(Transient):
    """The analysis endpoint did not answer in this attempt.

    Args:
        cause: the failure's class, one word, as it stands in logs.
        message: what happened.
        retry_after_s: seconds that the endpoint asked us to wait, when it did.
    """

    def __init__(self, cause: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.retry_after_s = retry_after_s


class AnalysisUnusable(Permanent):
    """The analysis endpoint refused the question, or its answer is not of the form that was asked for.

    Args:
        cause: the failure's class, one word, as it stands in logs.
        message: what happened.
    """

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class SettingsInvalid(Permanent):
    """A setting has a value that is not allowed."""


class GatewayRefused(Permanent):
    """The gateway answered a request with an error.

    Args:
        code: the gateway's number for it.
        message: the gateway's words.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"the gateway answered with error {code}: {message}")
        self.code = code


class AccountNotPaper(Permanent):
    """The gateway is logged in to an account that is not one for paper trading."""


class DataUnfit(Permanent):
    """Market data are missing, empty, stale or inconsistent: nothing may be traded on them."""


class ArtifactInvalid(Permanent):
    """An artifact lacks what its type needs, or holds a value that JSON cannot carry."""


class ArtifactRejected(Permanent):
    """The artifacts API answered that it will not take an artifact."""


class ClientRefused(ArtifactRejected):
    """The artifacts API takes nothing from this client: its token or the API's address is wrong."""


class SpoolFull(Permanent):
    """An artifact can be stored neither in the backend nor in the spool."""


class SpoolBroken(Permanent):
    """The spool's file cannot be read or written."""


class OrderUnknown(Permanent):
    """It could not be found out whether the gateway has an order."""


class RunFailed(Permanent):
    """A task of this run failed."""
