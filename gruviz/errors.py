"""The errors whose message is meant for the person at the screen."""


class GruvizError(ValueError):
    """Something asked for can't be done. The message names the value and the remedy."""


class PassingError(GruvizError):
    """Something can't be done now: the same may be asked for again."""
