"""The bound of a contract on requests a second: by a clock that moves only when somebody waits."""

import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pytest

from extract.errors import Place, TerminalError
from extract.formats.base import Parsed
from extract.protocols.open311 import Open311Options, Open311Protocol
from extract.raw import RawObject, RawStore
from extract.transport.base import Request
from extract.transport.http import HttpOptions, HttpTransport
from extract.transport.pace import Pace
from tests.unit.extract.conftest import WINDOW, Open
from tests.unit.extract.server import Answer, Script, serve

PLACE = Place("feedback.test")


class Clock:
    """Time that passes by waiting alone; `late` is what each wait takes too long."""

    def __init__(self, late: float = 0.0) -> None:
        self.now = 1000.0
        self.late = late
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds + self.late


class Client:
    """A transport of one server by a clock of its own."""

    def __init__(self, url: str, store: RawStore, per_second: float, **options: Any) -> None:
        self.clock = Clock()
        self.store = store
        settings = HttpOptions(url=url, requests_per_second=per_second, **options)
        self.transport = HttpTransport(settings, {}, PLACE, self.clock.sleep, self.clock)

    def sink(self, content: Any, name: str, page: int | None = None) -> RawObject:
        return self.store.put(content, name, page=page, keep_bytes=1 << 20)

    def deliver(self) -> list[RawObject]:
        return list(self.transport.deliver(Request("requests.json"), self.sink))


@contextmanager
def asking(
    script: Script, store: RawStore, per_second: float, **options: Any
) -> Iterator[tuple[Client, list[Any]]]:
    with serve(script) as server:
        client = Client(server.url, store, per_second, **options)
        try:
            yield client, server.asked
        finally:
            client.transport.close()


def test_requests_start_one_interval_apart() -> None:
    clock = Clock()
    pace = Pace(4, clock, clock.sleep)
    starts = []
    for passed in (0.0, 0.0, 0.125, 0.75, 0.0):
        clock.now += passed
        pace.wait()
        starts.append(clock.now - 1000)
    # The third came half an interval late, the fourth long after its turn: nothing is saved up.
    assert starts == [0.0, 0.25, 0.5, 1.25, 1.5]
    assert clock.waits == [0.25, 0.125, 0.25]


def test_who_wakes_late_brings_no_two_requests_together() -> None:
    clock = Clock(late=0.125)
    pace = Pace(4, clock, clock.sleep)
    starts = []
    for _ in range(4):
        pace.wait()
        starts.append(clock.now - 1000)
    assert starts == [0.0, 0.375, 0.75, 1.125]


def test_all_threads_keep_one_pace() -> None:
    clock = Clock()

    def sleep(seconds: float) -> None:
        # Others have their turn meanwhile: who does not wait for one's own takes an old time.
        now = clock.now
        time.sleep(0.0005)
        clock.waits.append(seconds)
        clock.now = now + seconds

    pace, together = Pace(8, clock, sleep), threading.Barrier(6)

    def ask(_: int) -> None:
        together.wait()
        for _ in range(20):
            pace.wait()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(ask, range(6)))
    assert clock.now - 1000 == 119 / 8
    assert clock.waits == [0.125] * 119


def test_all_pages_in_flight_are_counted_together(store: RawStore) -> None:
    def script(asked: Any, before: int) -> Answer:
        return Answer(asked.parameters["page"].encode())

    def parse(raw: RawObject) -> Iterator[Parsed]:
        yield Parsed(pa.table({"id": ["a", "b"] if int(raw.content or b"") < 9 else []}))

    with asking(script, store, 4) as (client, asked):
        options = Open311Options(page_size=2, in_flight=3)
        protocol = Open311Protocol(options, client.transport, client.sink, WINDOW, 0, PLACE)
        assert len(list(protocol.deliveries(parse))) == 9
        assert len(asked) >= 9
        assert client.clock.waits == [0.25] * (len(asked) - 1)


def test_a_request_that_is_asked_again_waits_its_turn(store: RawStore) -> None:
    def script(asked: Any, before: int) -> Answer:
        return Answer(b"[]", status=500 if before < 2 else 200)

    with asking(script, store, 1, backoff_seconds=0.5) as (client, asked):
        client.deliver()
        assert len(asked) == 3
        # Half a second of backing off leaves half of the interval; a whole one leaves nothing.
        assert client.clock.waits == [0.5, 0.5, 1.0]


def test_a_followed_redirect_and_a_question_wait_their_turn(store: RawStore) -> None:
    def script(asked: Any, before: int) -> Answer:
        moved = asked.path.endswith("requests.json")
        return Answer(b"[]", 302 if moved else 200, {"Location": "/there"} if moved else {})

    with asking(script, store, 2) as (client, asked):
        client.deliver()
        assert client.clock.waits == [0.5]
        client.transport.ask("GET", Request("state"), {}, PLACE, lambda _: "")
        there = client.transport.absolute("/file")
        client.transport.download(there, {}, PLACE, client.sink, token=False)
        assert len(asked) == 4
        assert client.clock.waits == [0.5] * 3


def test_without_a_bound_nothing_waits(store: RawStore) -> None:
    with asking(lambda *_: Answer(b"[]"), store, math.inf) as (client, asked):
        for _ in range(3):
            client.deliver()
        assert len(asked) == 3
        assert client.clock.waits == []
    assert HttpOptions().requests_per_second == math.inf


@pytest.mark.parametrize("rate", [0, -1, math.nan], ids=["none", "negative", "no number"])
def test_a_bound_that_lets_nothing_through_is_refused(open_source: Open, rate: float) -> None:
    transport = {"kind": "http", "url": "http://127.0.0.1:1", "requests_per_second": rate}
    with pytest.raises(TerminalError, match="requests_per_second is above 0") as caught:
        open_source(["id"], transport=transport, format={"kind": "json"})
    assert caught.value.rule == "contract"


def test_a_contract_says_the_bound(open_source: Open) -> None:
    """Five pages at twenty a second take four intervals at the least."""

    def script(asked: Any, before: int) -> Answer:
        page = int(asked.parameters["page"])
        return Answer(f'[{{"id": "{page}"}}]'.encode() if page < 5 else b"[]")

    with serve(script) as server:
        began = time.monotonic()
        opened = open_source(
            ["id"],
            transport={"kind": "http", "url": server.url, "requests_per_second": 20},
            format={"kind": "json"},
            protocol={"kind": "open311", "page_size": 1, "in_flight": 4},
        ).read()
    assert opened.column("id") == ["1", "2", "3", "4"]
    assert time.monotonic() - began >= 4 / 20
