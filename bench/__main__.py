"""The bare limit and ours, side by side: `python -m bench [--lines a,b] [--quick] [--work DIR]`."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import reference
from bench.charts_line import ChartsLine
from bench.line import Line, Size
from bench.load_lines import CsvLine, FhirLine, LargeCsvLine, Open311Line, PostgresLine
from bench.orchestration_line import OrchestrationLine
from bench.reference import Calibration, Reference
from bench.result import FAIL, MEMORY_RATIO, Result, measure
from bench.table_lines import MartsLine, UpsertLine

LINES: tuple[type[Line], ...] = (
    CsvLine,
    LargeCsvLine,
    Open311Line,
    PostgresLine,
    FhirLine,
    UpsertLine,
    MartsLine,
    OrchestrationLine,
    ChartsLine,
)


def chosen(names: str) -> list[type[Line]]:
    """The lines of a comma-separated list, all where it is empty, in the table's order.

    A line that compares its memory with another one brings it along.

    Raises:
        SystemExit: when there is no such line.
    """
    known = {each.name: each for each in LINES}
    wanted = set(names.split(",")) if names else set(known)
    if unknown := sorted(wanted - set(known)):
        sys.exit(f"no line {', '.join(unknown)}; known: {', '.join(known)}")
    wanted |= {other for name in wanted if (other := known[name].memory_of)}
    return [each for each in LINES if each.name in wanted]


@contextmanager
def folder(work: str | None) -> Iterator[Path]:
    """The folder for inputs and results: the one named, kept; else one that is removed."""
    if work is not None:
        Path(work).mkdir(parents=True, exist_ok=True)
        yield Path(work).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="citylake-bench-") as temporary:
        yield Path(temporary)


def run_lines(
    lines: Sequence[type[Line]], work: Path, size: Size, console: Console
) -> list[Result]:
    """Measure the lines one after the other and judge each; first figures are kept."""
    references = {} if size.is_quick else reference.read()
    results: dict[str, Result] = {}
    for kind in lines:
        line = kind(work, size)
        with console.status(f"{line.title}: inputs"):
            line.prepare()
        calibration = Calibration(work)
        with console.status(f"{line.title}: limit and ours in turns"):
            base = results[line.memory_of].ours.peak_mib if line.memory_of else None
            allowed_mib = base * MEMORY_RATIO if base else line.max_mib
            result = measure(line, work / "runs", calibration, allowed_mib)
            shutil.rmtree(work / "runs")
        today = Reference(round(result.limit.seconds, 3), round(calibration.seconds, 4))
        known = references.setdefault(line.name, today)
        valid = known.holds(result.limit.seconds, calibration.seconds)
        results[line.name] = replace(result, is_valid=valid)
    if not size.is_quick:
        reference.write(references)
    return list(results.values())


def table_of(results: Sequence[Result]) -> Table:
    """The closing table."""
    table = Table("line")
    for heading in ("limit s", "ours s", "ratio", "allowed s", "limit MiB", "ours MiB"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for each in results:
        table.add_row(
            each.title,
            f"{each.limit.seconds:.2f}",
            f"{each.ours.seconds:.2f}",
            f"{each.ours.seconds / each.limit.seconds:.2f}",
            f"{each.allowed_seconds:.2f}",
            f"{each.limit.peak_mib:.0f}",
            f"{each.ours.peak_mib:.0f}"
            + (f" of {each.allowed_mib:.0f}" if each.allowed_mib is not None else ""),
            each.verdict,
        )
    return table


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; 1 when a line fails, else 0."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = ", ".join(each.name for each in LINES)
    parser.add_argument("--lines", default="", help=f"some of {names}, separated by commas")
    parser.add_argument("--quick", action="store_true", help="small inputs, to try the benchmark")
    parser.add_argument("--work", help="folder that keeps the inputs for another run")
    options = parser.parse_args(arguments)
    lines = chosen(options.lines)
    console = Console()
    with folder(options.work) as work:
        shutil.rmtree(work / "runs", ignore_errors=True)
        results = run_lines(lines, work, Size(options.quick), console)
    console.print(table_of(results))
    for each in results:
        for text in each.failures:
            console.print(f"{each.title}: {text}", markup=False)
    return int(any(each.verdict == FAIL for each in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
