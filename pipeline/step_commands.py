"""`citylake step`: one step of a day alone, as a scheduler calls it; prints the step's JSON."""

import json
import sys
from datetime import datetime
from typing import Annotated, Any

import typer

step_app = typer.Typer(
    help="One step of a day alone; prints what it came to as JSON.", no_args_is_help=True
)

City = Annotated[str, typer.Option("--city", help="Folder under cities/, or a path to one.")]
Day = Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="Processing day.")]
Source = Annotated[str, typer.Option("--source", help="Id of the source: <group>.<source>.")]
Build = Annotated[str, typer.Option("--build", help="Id that `step build` printed.")]


@step_app.command()
def extract(
    city: City,
    source: Source,
    date: Day,
    first: Annotated[
        datetime | None,
        typer.Option(
            "--first",
            formats=["%Y-%m-%d"],
            help="Ask again for the days of the past from this one to --date; the cursor stays.",
        ),
    ] = None,
) -> None:
    """Read a source for a day and store what it sent; nothing is loaded."""
    from pipeline import steps

    day = _iso(date)
    window = {"first": _iso(first), "last": day} if first is not None else None
    _print(steps.extract(city, source, day, window))


@step_app.command()
def load(
    city: City,
    extraction: Annotated[
        str, typer.Option("--extraction", help="Id that `step extract` printed.")
    ],
) -> None:
    """Load what an extraction stored."""
    from pipeline import steps

    _print(steps.load(city, extraction))


@step_app.command()
def build(city: City, date: Day) -> None:
    """Build the candidate from the newest core versions and park it."""
    from pipeline import steps

    _print(steps.build(city, _iso(date)))


@step_app.command()
def check(city: City, build: Build) -> None:
    """Let every engine and the gate judge a build."""
    from pipeline import steps

    _print(steps.check(city, build))


@step_app.command()
def promote(city: City, build: Build) -> None:
    """Commit what the gate said of a build as one promotion record."""
    from pipeline import steps

    _print(steps.promote(city, build))


@step_app.command()
def publish(city: City, date: Day) -> None:
    """Write the releases that are due, the serving file and the site."""
    from pipeline import steps

    _print(steps.publish(city, _iso(date)))


@step_app.command()
def brief(
    city: City,
    date: Day,
    recipient: Annotated[
        str, typer.Option("--recipient", help="Code of the recipient in access.yaml.")
    ],
) -> None:
    """Send a recipient the brief of a day by e-mail, once for each content."""
    from pipeline import steps

    _print(steps.send_brief(city, _iso(date), recipient))


@step_app.command()
def compact(city: City, date: Day) -> None:
    """Put many small files of tables and journal together."""
    from pipeline import steps

    _print(steps.compact(city, _iso(date)))


@step_app.command()
def maintain(city: City, date: Day) -> None:
    """Remove what is past its retention."""
    from pipeline import steps

    _print(steps.maintain(city, _iso(date)))


def _iso(day: datetime) -> str:
    return day.date().isoformat()


def _print(found: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
