"""What was used last stays."""

from gruviz.data.latest import Latest


def kept(latest: Latest[bytes], keys: str) -> str:
    return "".join(key for key in keys if key in latest._values)


def test_what_was_used_least_lately_makes_room() -> None:
    latest = Latest[bytes](10, len)
    for key in "abc":
        latest.put(key, b"1234" if key != "c" else b"12")
    assert latest.get("a") == b"1234"
    latest.put("d", b"1234")
    assert kept(latest, "abcd") == "acd"


def test_the_last_one_stays_however_large_it_is() -> None:
    latest = Latest[bytes](10, len)
    latest.put("a", b"1")
    latest.put("b", b"1" * 100)
    assert (kept(latest, "ab"), len(latest)) == ("b", 1)


def test_a_value_in_the_place_of_another_counts_once() -> None:
    latest = Latest[bytes](10, len)
    for _time in range(5):
        latest.put("a", b"12345678")
    latest.put("b", b"12")
    assert kept(latest, "ab") == "ab"
    latest.drop("a")
    assert latest.get("a") is None
    latest.drop_if(lambda key: key == "b")
    assert len(latest) == 0


def test_there_may_be_only_so_many() -> None:
    latest = Latest[bytes](10, len, most=2)
    for key in "abc":
        latest.put(key, b"")
    assert kept(latest, "abc") == "bc"


def test_what_nobody_has_asked_for_since_a_while_goes() -> None:
    now = [0.0]
    latest = Latest[bytes](100, len, clock=lambda: now[0])
    latest.put("a", b"1")
    latest.put("b", b"1")
    now[0] = 50.0
    assert latest.get("a") == b"1"
    latest.drop_unused(50.0)
    assert kept(latest, "ab") == "ab"
    now[0] = 51.0
    latest.drop_unused(50.0)
    assert kept(latest, "ab") == "a"
