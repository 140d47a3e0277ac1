import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from quality.ledger import Ledger, LedgerError
from tests.unit.gate.small_city import city_paths
from warehouse.files import canonical_json
from warehouse.paths import CityPaths


@pytest.fixture
def paths(tmp_path: Path) -> CityPaths:
    made = city_paths(tmp_path)
    ledger = Ledger(made)
    for number in range(1, 6):
        ledger.append("verdict", f"verdict:{number}:a", {"verdict": "publish", "n": number})
    return made


def entry(paths: CityPaths, number: int) -> Path:
    return paths.ledger / f"{number:06d}.json"


def test_a_whole_chain_holds(paths: CityPaths) -> None:
    assert Ledger(paths).verify() is None
    assert [each.number for each in Ledger(paths).entries()] == [1, 2, 3, 4, 5]


def edit_in_canonical_form(paths: CityPaths) -> None:
    fields = json.loads(entry(paths, 3).read_bytes())
    fields["body"]["verdict"] = "reject"
    entry(paths, 3).write_bytes(canonical_json(fields))


def edit_a_byte(paths: CityPaths) -> None:
    entry(paths, 3).write_bytes(entry(paths, 3).read_bytes().replace(b"publish", b"publisH"))


def add_space(paths: CityPaths) -> None:
    entry(paths, 3).write_bytes(entry(paths, 3).read_bytes().replace(b":", b": ", 1))


def delete(paths: CityPaths) -> None:
    entry(paths, 3).unlink()


def cut(paths: CityPaths) -> None:
    entry(paths, 3).write_bytes(entry(paths, 3).read_bytes()[:-5])


def swap(paths: CityPaths) -> None:
    one, other = entry(paths, 3).read_bytes(), entry(paths, 4).read_bytes()
    entry(paths, 3).write_bytes(other)
    entry(paths, 4).write_bytes(one)


def swap_and_renumber(paths: CityPaths) -> None:
    one, other = (json.loads(entry(paths, number).read_bytes()) for number in (3, 4))
    one["number"], other["number"] = 4, 3
    entry(paths, 3).write_bytes(canonical_json(other))
    entry(paths, 4).write_bytes(canonical_json(one))


@pytest.mark.parametrize(
    ("tamper", "broken"),
    [
        pytest.param(edit_in_canonical_form, 3, id="edit"),
        pytest.param(edit_a_byte, 3, id="edit-byte"),
        pytest.param(add_space, 3, id="other-spelling"),
        pytest.param(delete, 3, id="delete"),
        pytest.param(cut, 3, id="torn"),
        pytest.param(swap, 3, id="swap"),
        # Entry 3 now records another hash than entry 2 has: the break is between the two.
        pytest.param(swap_and_renumber, 2, id="swap-renumbered"),
    ],
)
def test_tampering_is_found(
    paths: CityPaths, tamper: Callable[[CityPaths], None], broken: int
) -> None:
    tamper(paths)
    found = Ledger(paths).verify()
    assert found is not None
    assert found.number == broken
    if tamper is not delete:
        with pytest.raises(LedgerError):
            Ledger(paths).append("verdict", "verdict:9:a", {})


def test_a_first_entry_that_starts_elsewhere_is_found(paths: CityPaths) -> None:
    fields = json.loads(entry(paths, 1).read_bytes())
    fields["previous"] = "1" * 64
    entry(paths, 1).write_bytes(canonical_json(fields))
    found = Ledger(paths).verify()
    assert found is not None
    assert found.number == 1


def test_a_cut_tail_is_not_found_without_a_witness(paths: CityPaths) -> None:
    entry(paths, 5).unlink()
    assert Ledger(paths).verify() is None


def test_a_subject_has_one_entry(paths: CityPaths) -> None:
    again = Ledger(paths).append("verdict", "verdict:2:a", {"n": 2, "verdict": "publish"})
    assert again.number == 2
    assert not entry(paths, 6).exists()
    with pytest.raises(LedgerError, match="otherwise"):
        Ledger(paths).append("verdict", "verdict:2:a", {"n": 2, "verdict": "reject"})


def test_two_open_ledgers_do_not_fork(paths: CityPaths) -> None:
    one, other = Ledger(paths), Ledger(paths)
    one.append("verdict", "verdict:6:a", {})
    assert other.append("verdict", "verdict:7:a", {}).number == 7
    assert one.append("verdict", "verdict:8:a", {}).number == 8
    assert Ledger(paths).verify() is None


def _append_many(paths: CityPaths, writer: int) -> None:
    ledger = Ledger(paths)
    for number in range(15):
        ledger.append("test", f"test:{writer}:{number}", {})
        ledger.append("test", f"test:both:{number}", {})


def test_two_writing_processes_make_one_chain(paths: CityPaths) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append_many, args=(paths, writer)) for writer in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    ledger = Ledger(paths)
    assert ledger.verify() is None
    subjects = [each.subject for each in ledger.entries()]
    assert len(subjects) == len(set(subjects)) == 5 + 15 * 3
