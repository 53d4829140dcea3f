"""Load: runs of the workflow, one after the other, by Locust; and whether enough of them succeed."""
