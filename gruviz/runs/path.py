"""The path that a run takes through the space of its weights, in a few points."""

from collections.abc import Sequence

from gruviz.record import Point, kept_every


class Path:
    """The weights at evenly spaced steps from the first on; the further the run, the wider apart.

    Which steps are kept depends on how far the run is, not on how it was cut into slices.
    """

    def __init__(self) -> None:
        self.points: list[Point] = []

    def extend(self, points: Sequence[Point]) -> None:
        """Add the points of a slice, and drop those that lie too close together by now."""
        found = [*self.points, *points]
        if found:
            last, weights = found[-1]
            every = kept_every(last, len(weights))
            # A new list: somebody may be reading the old one.
            self.points = [point for point in found if point[0] % every == 0]

    @property
    def size(self) -> int:
        """Bytes that the points take."""
        return sum(weights.nbytes for _step, weights in self.points)

    def up_to(self, latest: Point | None) -> list[Point]:
        """The kept points, and where the run stands now."""
        points = self.points
        if latest is None or (points and points[-1][0] >= latest[0]):
            return list(points)
        return [*points, latest]
