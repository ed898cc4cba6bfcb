"""The queue, on a clock of its own and with workers that are numbers."""

import heapq
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruviz.runs.queue import (
    MOST_APART,
    MOST_OWED,
    SHORTEST_SLICE_SECONDS,
    SLICE_SECONDS,
    Queue,
)


@dataclass
class Work:
    """A run, whose slices are whole steps of so many seconds."""

    visitor: str
    step: float
    page: float = 0.0  # seconds that the page has for it, for each of its slices
    pause: float = 0.0  # until it hands in its next slice, of which the queue knows nothing
    seconds: float = 0.0
    gaps: list[float] = field(default_factory=list)
    last: float = 0.0
    began: float = 0.0


def simulate(works: list[Work], workers: int, until: float) -> None:
    """Let the works go on, slice after slice, and count what each of them gets."""
    queue: Queue[Work] = Queue(short=True)
    events: list[
        tuple[float, int, Work, bool]
    ] = []  # (when, order, work, whether its slice is over)
    order, busy = 0, 0

    def start(now: float, unless: str | None = None) -> bool:
        nonlocal order, busy
        found = queue.take(now, unless)
        if found is None:
            return False
        work = found[1]
        wanted = queue.slice_seconds(work.visitor, workers, now)
        took = work.step * max(1, -(-wanted // work.step))
        order, busy = order + 1, busy + 1
        work.began = now
        work.seconds += min(took, max(0.0, until - now))
        heapq.heappush(events, (now + took, order, work, True))
        return True

    for work in works:
        queue.put(work.visitor, work, 0.0)
    now = 0.0
    while now < until:
        while busy < workers and start(now):
            pass
        now, _order, work, over = heapq.heappop(events)
        if not over:
            queue.put(work.visitor, work, now)
            continue
        busy -= 1
        work.gaps.append(now - work.last)
        work.last = now
        queue.done(work.visitor, now - work.began, now)
        start(now, unless=work.visitor)
        queue.charge(work.visitor, work.page, now)
        if work.pause:
            order += 1
            heapq.heappush(events, (now + work.pause, order, work, False))
        else:
            queue.put(work.visitor, work, now)
        queue.left(work.visitor, now)


def seconds_of(works: list[Work]) -> dict[str, float]:
    found: dict[str, float] = {}
    for work in works:
        found[work.visitor] = found.get(work.visitor, 0.0) + work.seconds
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_long_steps_and_short_ones_get_the_same_seconds(workers: int) -> None:
    works = [Work(each, 1.4) for each in "abc"] + [Work(each, 0.001) for each in "xyz"]
    simulate(works, workers, until=400)
    fair = 400 * workers / 6
    assert all(abs(work.seconds / fair - 1) < 0.05 for work in works), seconds_of(works)


@pytest.mark.parametrize("step", [0.1, 0.4, 1.4])
def test_six_heavy_visitors_leave_a_seventh_its_share(step: float) -> None:
    victim = Work("victim", 0.001)
    simulate([*(Work(f"heavy {number}", step) for number in range(6)), victim], 2, until=200)
    assert victim.seconds >= 0.9 * 200 * 2 / 7


def test_twenty_runs_of_one_visitor_count_as_much_as_one_run_of_another() -> None:
    for workers in (1, 2):
        works = [Work("many", 0.01) for _each in range(20)] + [Work("one", 0.01)]
        simulate(works, workers, until=100)
        shares = seconds_of(works)
        assert shares["one"] == pytest.approx(100 * workers / 2, rel=0.05)
        assert shares["many"] == pytest.approx(100 * workers / 2, rel=0.05)
        assert min(work.seconds for work in works) > 0.7 * shares["many"] / 20


def test_a_study_is_paid_for_with_its_visitors_own_seconds() -> None:
    works = [Work("student", 0.001), Work("student", 0.3), Work("other", 0.001)]
    simulate(works, 1, until=100)
    assert works[2].seconds == pytest.approx(50, rel=0.05)


def test_no_gap_is_longer_than_a_turn_of_everybody_before() -> None:
    works = [Work("heavy", 0.4) for _each in range(6)] + [Work("victim", 0.001)]
    for number, work in enumerate(works[:6]):
        work.visitor = f"heavy {number}"
    simulate(works, 2, until=200)
    gaps = sorted(works[-1].gaps)
    assert gaps[int(0.95 * len(gaps))] <= 1.0


def test_whoever_is_alone_has_slices_of_full_length_and_a_crowd_short_ones() -> None:
    queue: Queue[int] = Queue()
    assert (SLICE_SECONDS, SHORTEST_SLICE_SECONDS) == (0.2, 0.03)
    assert queue.slice_seconds("me", 2, 0.0) == 0.2
    found = []
    for number in range(1, 30):
        queue.put(f"other {number}", number, 0.0)
        found.append(queue.slice_seconds("me", 2, 0.0))
    assert found == [max(0.03, min(0.2, 0.2 * 2 / (number + 1))) for number in range(1, 30)]


def test_many_runs_make_the_slices_of_their_own_visitor_shorter_and_of_nobody_else() -> None:
    queue: Queue[int] = Queue()
    for number in range(20):
        queue.put("many", number, 0.0)
    assert queue.slice_seconds("many", 2, 0.0) == 0.03
    assert queue.slice_seconds("one", 2, 0.0) == 0.2


def test_whoever_lags_behind_has_longer_slices() -> None:
    queue: Queue[str] = Queue()
    for name in ("a", "b", "c", "d", "e", "f"):
        queue.put(name, name, 0.0)
    for name in ("a", "b", "c", "d", "e"):
        assert queue.take(0.0) == (name, name)
        queue.put(name, name, 0.0)
        queue.done(name, 0.15, 0.15)
        queue.left(name, 0.15)
    assert queue.slice_seconds("f", 1, 0.15) == pytest.approx(5 / 6 * 0.15)
    assert queue.slice_seconds("a", 1, 0.15) == pytest.approx(0.2 / 6)


def turn(queue: Queue[str], seconds: float, now: float) -> tuple[str, float]:
    """The next turn, after which its visitor asks for another one."""
    found = queue.take(now)
    assert found is not None
    visitor = found[0]
    queue.done(visitor, seconds, now + seconds)
    queue.put(visitor, "again", now + seconds)
    queue.left(visitor, now + seconds)
    return visitor, now + seconds


def test_having_been_idle_earns_no_credit_and_having_worked_alone_costs_none() -> None:
    queue: Queue[str] = Queue()
    now = 0.0
    queue.put("early", "first", now)
    for _each in range(100):
        _visitor, now = turn(queue, 1.0, now)
    queue.put("late", "first", now)
    turns = []
    for _each in range(20):
        visitor, now = turn(queue, 1.0, now)
        turns.append(visitor)
    assert turns.count("late") == 10
    assert all(set(turns[place : place + 2]) == {"early", "late"} for place in range(0, 20, 2))


def test_who_comes_back_after_being_idle_has_no_credit_for_that_time() -> None:
    queue: Queue[str] = Queue()
    for name in ("idle", "busy"):
        queue.put(name, "first", 0.0)
    assert queue.take(0.0) == ("idle", "first")
    queue.done("idle", 1.0, 1.0)
    queue.left("idle", 1.0)
    assert queue.take(1.0) == ("busy", "first")
    queue.put("idle", "second", 4.0)  # the other has had as much since then, and more
    queue.done("busy", 3.0, 4.0)
    queue.put("busy", "second", 4.0)
    queue.left("busy", 4.0)
    now, turns = 4.0, []
    for _each in range(3):
        visitor, now = turn(queue, 1.0, now)
        turns.append(visitor)
    assert turns == ["idle", "busy", "busy"]


def test_leaving_and_coming_back_pays_no_debt() -> None:
    queue: Queue[str] = Queue()
    queue.put("sly", "long", 0.0)
    queue.put("fair", "short", 0.0)
    assert queue.take(0.0) == ("sly", "long")
    queue.done("sly", 3.0, 3.0)
    queue.left("sly", 3.0)  # and has nothing else for now
    queue.put("sly", "long", 3.0)
    now, turns = 3.0, []
    for _each in range(3):
        visitor, now = turn(queue, 1.0, now)
        turns.append(visitor)
    assert turns == ["fair"] * 3


def test_a_turn_is_left_to_whoever_will_ask_for_it_in_a_moment() -> None:
    queue: Queue[str] = Queue()
    queue.put("victim", "one", 0.0)
    queue.put("heavy", "long", 0.0)
    assert queue.take(0.0) == ("victim", "one")
    assert queue.take(0.0) == ("heavy", "long")
    queue.put("heavy", "longer", 0.0)
    queue.done("victim", 0.1, 0.1)
    queue.done("heavy", 1.0, 1.0)
    assert queue.take(1.0, unless="victim") is None
    queue.put("victim", "two", 1.0)
    assert queue.take(1.0) == ("victim", "two")


def test_whoever_can_not_use_more_than_one_worker_is_owed_nothing_for_the_others() -> None:
    many = [Work("many", 0.01) for _each in range(20)]
    one = Work("one", 0.01)
    simulate([*many, one], 4, until=100)
    assert one.seconds == pytest.approx(100, rel=0.02)  # a whole worker, and no more can be used
    assert sum(work.seconds for work in many) == pytest.approx(300, rel=0.02)
    assert MOST_APART == 3.0
    queue: Queue[str] = Queue()
    queue.put("many", "long", 0.0)
    queue.put("one", "short", 0.0)
    assert queue.take(0.0) == ("many", "long")
    queue.done("many", 1000.0, 1000.0)
    lead = queue._accounts["many"].seconds(1000.0) - queue._accounts["one"].seconds(1000.0)
    assert lead == 6.0  # not the 1,000 that it would have to wait for


def test_a_stream_of_guests_starves_nobody_and_leaves_nothing_behind() -> None:
    queue: Queue[str] = Queue()
    now, turns = 0.0, []
    queue.put("stays", "first", now)
    for number in range(200):
        queue.put(f"guest {number}", "only", now)
        found = queue.take(now)
        assert found is not None
        turns.append(found[0])
        now += 0.1
        queue.done(found[0], 0.1, now)
        if found[0] == "stays":
            queue.put("stays", "again", now)
        queue.left(found[0], now)
    assert turns.count("stays") > 10
    while len(queue) > 0:
        now = once(queue, now)
    assert queue._accounts == {}


def once(queue: Queue[str], now: float) -> float:
    """The next turn, whose visitor wants nothing more."""
    found = queue.take(now)
    assert found is not None
    queue.done(found[0], 0.1, now + 0.1)
    queue.left(found[0], now + 0.1)
    return now + 0.1


def test_the_works_of_one_visitor_are_done_in_the_order_in_which_they_came() -> None:
    queue: Queue[int] = Queue()
    for number in range(4):
        queue.put("me", number, 0.0)
    assert [queue.take(0.0) for _each in range(5)] == [*(("me", n) for n in range(4)), None]


acts = st.lists(
    st.tuples(st.sampled_from(["put", "take", "done"]), st.integers(0, 4), st.floats(0.0, 3.0)),
    max_size=120,
)


@given(acts)
def test_nothing_is_lost_nothing_is_done_twice_and_nobody_starves(
    acts: list[tuple[str, int, float]],
) -> None:
    queue: Queue[int] = Queue()
    now, given_in, running, taken = 0.0, 0, list[str](), list[int]()
    for act, number, seconds in acts:
        now += seconds
        if act == "put":
            queue.put(str(number), given_in, now)
            given_in += 1
        elif act == "take":
            found = queue.take(now)
            assert (found is None) == (given_in == len(taken))
            if found is not None:
                running.append(found[0])
                taken.append(found[1])
        elif running:
            visitor = running.pop(number % len(running))
            queue.done(visitor, seconds, now)
            queue.left(visitor, now)
        assert len(queue) == given_in - len(taken)
        spread = [each.seconds(now) for each in queue._accounts.values() if each.waiting]
        assert not spread or max(spread) - min(spread) <= 2 * MOST_APART + 1e-9
    while (found := queue.take(now)) is not None:
        taken.append(found[1])
        queue.done(found[0], 0.0, now)
        queue.left(found[0], now)
    assert sorted(taken) == list(range(given_in))
    for visitor in running:
        queue.done(visitor, 0.0, now)
        queue.left(visitor, now)
    assert not any(account.works for account in queue._accounts.values())


def test_what_waits_can_be_taken_out_at_the_end() -> None:
    queue: Queue[int] = Queue()
    for number in range(6):
        queue.put(str(number % 2), number, 0.0)
    assert sorted(queue.clear()) == list(range(6))
    assert (len(queue), queue.take(0.0)) == (0, None)


@pytest.mark.parametrize("page", [0.05, 0.2])
def test_what_the_page_does_for_a_visitor_counts_as_much_as_what_a_worker_does(page: float) -> None:
    works = [Work("busy", 0.2, page), *(Work(each, 0.2) for each in "abcde")]
    simulate(works, 2, until=300)
    had = [work.seconds + page * len(work.gaps) * (work.page > 0) for work in works]
    assert had == [pytest.approx(sum(had) / 6, rel=0.06)] * 6


def test_before_a_visitors_turn_a_worker_stands_still_for_what_the_page_did_while_others_are_there() -> (
    None
):
    queue: Queue[str] = Queue(short=True)
    queue.put("busy", "slice", 0.0)
    queue.put("other", "slice", 0.0)
    queue.charge("busy", 0.3, 0.0)
    assert turn_of(queue, 0.0) == "other"
    assert turn_of(queue, 0.0) is None
    assert queue.pause(0.1) == pytest.approx(0.2)
    assert turn_of(queue, 0.2) is None
    assert turn_of(queue, 0.3) == "busy"
    assert queue.pause(0.3) is None


def test_no_worker_stands_still_for_the_only_visitor_nor_where_the_page_has_a_core_of_its_own() -> (
    None
):
    alone: Queue[str] = Queue(short=True)
    roomy: Queue[str] = Queue(short=False)
    roomy.put("other", "slice", 0.0)
    assert turn_of(roomy, 0.0) == "other"
    for queue in (alone, roomy):
        queue.put("busy", "slice", 0.0)
        queue.charge("busy", 0.3, 0.0)
        assert turn_of(queue, 0.0) == "busy"


def test_what_the_page_did_while_a_worker_was_busy_for_the_same_visitor_is_still_owed() -> None:
    queue: Queue[str] = Queue(short=True)
    queue.put("busy", "slice", 0.0)
    queue.put("other", "slice", 0.0)
    assert {turn_of(queue, 0.0), turn_of(queue, 0.0)} == {"busy", "other"}
    for _frame in range(5):
        queue.charge("busy", 0.004, 0.0)
    queue.put("busy", "next", 1.0)
    queue.done("busy", 1.0, 1.0)
    assert turn_of(queue, 1.0) is None
    assert queue.pause(1.0) == pytest.approx(0.02)


def test_time_in_which_a_visitor_has_a_worker_or_wants_none_pays_for_nothing() -> None:
    queue: Queue[str] = Queue(short=True)
    queue.put("busy", "first", 0.0)
    queue.put("busy", "second", 0.0)
    assert turn_of(queue, 0.0) == "busy"
    queue.put("other", "slice", 0.0)
    queue.charge("busy", 0.3, 0.0)
    assert queue.pause(1.0) == 0.3  # its first work has a worker
    queue.done("busy", 1.0, 1.0)
    queue.left("busy", 1.0)
    assert queue.pause(1.125) == pytest.approx(0.175)
    assert (turn_of(queue, 1.3), turn_of(queue, 1.3)) == ("other", "busy")
    queue.done("busy", 0.2, 1.5)
    queue.charge("busy", 0.3, 1.5)
    queue.put("busy", "third", 2.5)  # until now there was nothing that could have waited
    assert queue.pause(2.5) == 0.3


def test_nobody_waits_long_for_what_the_page_did() -> None:
    queue: Queue[str] = Queue(short=True)
    queue.put("other", "slice", 0.0)
    queue.put("busy", "slice", 0.0)
    queue.charge("busy", 100.0, 0.0)
    assert queue.pause(0.0) == MOST_OWED == 1.0


def test_what_a_page_was_drawn_for_just_before_counts_and_what_is_longer_ago_does_not() -> None:
    queue: Queue[str] = Queue(short=True)
    queue.put("other", "slice", 0.0)
    queue.charge("busy", 0.5, 0.0)
    queue.put("busy", "slice", 0.1)
    assert queue.pause(0.1) == pytest.approx(0.4)
    queue.charge("guest", 0.5, 0.1)
    queue.put("guest", "slice", 1.0)
    assert {turn_of(queue, 1.0) for _each in range(3)} == {"other", "busy", "guest"}


def test_whoever_only_looks_at_pages_is_forgotten() -> None:
    queue: Queue[str] = Queue(short=True)
    for number in range(100):
        queue.charge(f"guest {number}", 0.5, float(number))
    assert len(queue._accounts) == 1


def turn_of(queue: Queue[str], now: float) -> str | None:
    """Whose turn it is."""
    found = queue.take(now)
    return None if found is None else found[0]
