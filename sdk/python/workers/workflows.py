"""workers.workflows - what the steps of a Workflow raise."""


class NonRetryableError(Exception):
    """Raised in a step: it failed for good, trying again is of no use."""
