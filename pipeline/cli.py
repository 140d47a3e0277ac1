"""The command line `citylake`. Heavy imports wait until a command needs them."""

import sys
from datetime import date, datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from pipeline.exit_codes import ExitCode
from pipeline.step_commands import step_app
from pipeline.superset.commands import reports_app, superset_app
from warehouse.errors import CitylakeError

app = typer.Typer(
    help="City statistics: sources into a lake, marts behind a gate, open datasets out of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
contract_app = typer.Typer(help="Contracts of tables, sources and marts.", no_args_is_help=True)
demo_app = typer.Typer(
    help="The demo city: synthetic source systems on loopback.", no_args_is_help=True
)
quarantine_app = typer.Typer(help="The records that broke a rule.", no_args_is_help=True)
airflow_app = typer.Typer(help="Airflow on this machine, or deployed apart.", no_args_is_help=True)
app.add_typer(airflow_app, name="airflow")
app.add_typer(contract_app, name="contract")
app.add_typer(demo_app, name="demo")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(reports_app, name="reports")
app.add_typer(step_app, name="step")
app.add_typer(superset_app, name="superset")

City = Annotated[str, typer.Option("--city", help="Folder under cities/, or a path to one.")]
Day = Annotated[
    datetime | None,
    typer.Option("--date", formats=["%Y-%m-%d"], help="Processing day; default in city.yaml."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Source = Annotated[str, typer.Option("--source", help="Id of the source: <group>.<source>.")]
OneSource = Annotated[str | None, typer.Option("--source", help="Only records of this source.")]
OneReason = Annotated[
    str | None, typer.Option("--reason", help="Only records that broke this rule: <column>:<rule>.")
]
WithRaw = Annotated[
    bool, typer.Option("--raw", help="With the record as delivered; it may hold personal data.")
]
Port = Annotated[int, typer.Option("--port", help="Port of the first system; 0 takes free ones.")]
Scale = Annotated[float, typer.Option("--scale", help="Share of the city's daily volume.")]
Component = Annotated[
    str, typer.Argument(help="api-server, scheduler, dag-processor or triggerer.")
]
Listen = Annotated[
    str | None,
    typer.Option("--listen", help="Address of the interface to answer on; needs --port."),
]
KnownAs = Annotated[
    str | None, typer.Option("--known-as", help="Name by which readers reach the systems.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="Print no addresses: they hold the token that was given.")
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the generated city.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"citylake {metadata.version('citylake')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print version."),
    ] = False,
) -> None:
    """Options of the program itself."""


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


@app.command()
def run(
    city: City, date: Day = None, quiet: Annotated[bool, typer.Option("--quiet")] = False
) -> None:
    """Bring one processing day in, build, judge and publish it."""
    from pipeline.run import run_city

    raise typer.Exit(run_city(city, _day(date), quiet=quiet))


@app.command()
def status(city: City, json: AsJson = False) -> None:
    """Show what is published, what is held or rejected, and why."""
    from pipeline.status import print_status

    print_status(city, as_json=json)


@app.command("hash")
def hash_command(city: City, json: AsJson = False) -> None:
    """Print the content hash of tables, publications, releases and statuses."""
    from pipeline.status import print_hash

    print_hash(city, as_json=json)


@app.command()
def explain(
    city: City,
    reference: Annotated[str, typer.Argument()],
    raw: WithRaw = False,
    json: AsJson = False,
) -> None:
    """Say where a source row went, or which records make a mart cell.

    REFERENCE is `<source>:<record id>` (feedback.open311:DN-1; a key of several columns: its
    values in order, joined by `/`) or
    `<indicator>/<area>/<month>` (FB1/490/2025-05; FB1/490@2019-01-01/2025-05; of the sector mart
    the agency in the place of the area: FB1/trung_tam_1022/2025-05) or
    `<dataset>/<values of its key in its order>/<column>`
    (service-request-monthly/2025-05/490/road/requests_closed).
    """
    from pipeline.explain import print_explanation

    raise typer.Exit(print_explanation(city, reference, with_raw=raw, as_json=json))


@app.command()
def approve(
    city: City,
    publication: Annotated[str, typer.Argument(help="Name of the held publication.")],
    person: Annotated[str, typer.Option("--person", help="Who approves; stands in the ledger.")],
    candidate: Annotated[str, typer.Option("--candidate", help="Content hash being approved.")],
) -> None:
    """Publish a held candidate on a named person's decision."""
    from pipeline.approve import approve_candidate

    raise typer.Exit(approve_candidate(city, publication, candidate, person))


@app.command()
def refuse(
    city: City,
    publication: Annotated[str, typer.Argument(help="Name of the held publication.")],
    person: Annotated[str, typer.Option("--person", help="Who refuses; stands in the ledger.")],
    candidate: Annotated[str, typer.Option("--candidate", help="Content hash being refused.")],
) -> None:
    """Let a held candidate go on a named person's decision; readers see what they saw."""
    from pipeline.approve import refuse_candidate

    raise typer.Exit(refuse_candidate(city, publication, candidate, person))


@app.command()
def backfill(
    city: City,
    source: Source,
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the window.")
    ],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, inclusive.")
    ],
) -> None:
    """Ask a source for days of the past again and load them; the cursor stays."""
    from pipeline.backfill import run_backfill

    raise typer.Exit(run_backfill(city, source, first.date(), last.date()))


@app.command()
def reprocess(
    city: City,
    source: Source,
    apply: Annotated[
        bool, typer.Option("--apply", help="Load the kept batches again; else only say so.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Read the kept raw objects of a source by today's contract and say what would move."""
    from pipeline.reprocess import run_reprocess

    raise typer.Exit(run_reprocess(city, source, apply=apply, as_json=json))


@app.command()
def brief(
    city: City,
    area: Annotated[
        str, typer.Option("--area", help="Code, valid on the day, or <code>@<valid from>.")
    ],
    date: Day = None,
    lang: Annotated[str, typer.Option("--lang", help="vi or en.")] = "vi",
    role: Annotated[
        str | None,
        typer.Option("--role", help="Whose rights, of access.yaml; default: the city's leader."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="PDF to write.")] = None,
) -> None:
    """Write the two-page brief of an area as PDF."""
    from pipeline.brief import write_brief

    raise typer.Exit(write_brief(city, _day(date), area, lang, role, output))


@app.command()
def verify(city: City) -> None:
    """Verify the ledger's chain, promotion records, evidence and releases by their digests."""
    from pipeline.status import print_verification

    raise typer.Exit(print_verification(city))


@app.command()
def doctor(city: City, json: AsJson = False) -> None:
    """Check whether the city can run here: environment, contracts and lake; changes nothing."""
    from pipeline.doctor import print_checkup

    raise typer.Exit(print_checkup(city, as_json=json))


@quarantine_app.command("list")
def quarantine_list(
    city: City, source: OneSource = None, reason: OneReason = None, json: AsJson = False
) -> None:
    """Count the quarantined records by table, source and reason."""
    from pipeline.quarantine import print_list

    raise typer.Exit(print_list(city, source, reason, as_json=json))


@quarantine_app.command("show")
def quarantine_show(
    city: City,
    reference: Annotated[str, typer.Argument()],
    raw: WithRaw = False,
    json: AsJson = False,
) -> None:
    """Say why one record is in quarantine and where it came from.

    REFERENCE is a record hash or `<source>:<raw name>:<row>`
    (feedback.open311:requests.json page 3:17).
    """
    from pipeline.quarantine import print_record

    raise typer.Exit(print_record(city, reference, with_raw=raw, as_json=json))


@quarantine_app.command("export")
def quarantine_export(
    city: City,
    output: Annotated[
        Path, typer.Option("--output", help="File to write, .parquet or .csv; for its owner only.")
    ],
    source: OneSource = None,
    reason: OneReason = None,
    raw: WithRaw = False,
) -> None:
    """Write the quarantined records to a file outside the lake and the repository."""
    from pipeline.quarantine import export

    raise typer.Exit(export(city, output, source, reason, with_raw=raw))


@contract_app.command("check")
def contract_check(city: City) -> None:
    """Check every contract of a city; problems name file, line and rule."""
    from pipeline.contracts import print_contract_check

    raise typer.Exit(print_contract_check(city))


@demo_app.command("serve")
def demo_serve(
    city: City = "danang",
    date: Day = None,
    port: Port = 0,
    scale: Scale = 1.0,
    seed: Seed = 1022,
    listen: Listen = None,
    known_as: KnownAs = None,
    quiet: Quiet = False,
) -> None:
    """Serve the demo city's source systems, as they know the world on a day, until interrupted."""
    from pipeline.demo import DemoPlace, serve

    place = DemoPlace(port, listen, known_as)
    raise typer.Exit(serve(city, _day(date), place, scale=scale, seed=seed, quiet=quiet))


@demo_app.command("run")
def demo_run(
    city: City = "danang",
    date: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="Only this day; default: the history."),
    ] = None,
    scale: Scale = 1.0,
    seed: Seed = 1022,
) -> None:
    """Start the demo city, load its history, then run its daily days."""
    from pipeline.demo import run_demo

    raise typer.Exit(run_demo(city, _day(date), scale=scale, seed=seed))


@airflow_app.command("up")
def airflow_up(
    city: City = "danang",
    port: Annotated[int, typer.Option("--port", help="Port on loopback.")] = 8080,
    scale: Scale = 1.0,
) -> None:
    """Start Airflow, and the demo city where it is that, in the background."""
    from pipeline.orchestration.service import up

    raise typer.Exit(up(city, port=port, scale=scale))


@airflow_app.command("init")
def airflow_init(city: City = "danang") -> None:
    """Bring the database of a deployment up to date: tables, and pools from the contracts."""
    from pipeline.orchestration.component import initialise

    raise typer.Exit(initialise(city))


@airflow_app.command("component")
def airflow_component(name: Component, city: City = "danang") -> None:
    """Run one component of a deployment in the foreground; variables say where the others are."""
    from pipeline.orchestration.component import become

    become(name, city)


@airflow_app.command("health")
def airflow_health(name: Component) -> None:
    """Say whether one component of a deployment is well; exit code 1 where it is not."""
    from pipeline.orchestration.health import print_health

    raise typer.Exit(print_health(name))


@airflow_app.command("down")
def airflow_down() -> None:
    """End Airflow and everything that was started with it."""
    from pipeline.orchestration.service import down

    raise typer.Exit(down())


@airflow_app.command("status")
def airflow_status() -> None:
    """Show whether each component of Airflow is well."""
    from pipeline.orchestration.service import status

    raise typer.Exit(status())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; an expected failure is one clear line and exit code 1."""
    try:
        app(args=arguments, prog_name="citylake")
    except CitylakeError as error:
        sys.stderr.write(f"citylake: {error}\n")
        sys.exit(ExitCode.ERROR)


if __name__ == "__main__":
    main()
