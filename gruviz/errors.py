"""The one error whose message is meant for the person at the screen."""


class GruvizError(ValueError):
    """Something asked for can't be done. The message names the value and the remedy."""
