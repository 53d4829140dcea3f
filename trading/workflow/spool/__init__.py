"""Where artifacts wait while the backend cannot take them; ``python -m trading.workflow.spool`` looks after it."""

from trading.workflow.spool.spool import Spool, SpooledArtifact, other_hosts, spool_file

__all__ = ["Spool", "SpooledArtifact", "other_hosts", "spool_file"]
