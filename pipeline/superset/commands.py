"""`citylake superset` and `citylake reports`: the server, and what is shown in it."""

from pathlib import Path
from typing import Annotated

import typer

superset_app = typer.Typer(
    help="Superset on this machine, or deployed apart.", no_args_is_help=True
)
reports_app = typer.Typer(
    help="Reports in Superset, generated from the registry.", no_args_is_help=True
)

City = Annotated[str, typer.Option("--city", help="Folder under cities/, or a path to one.")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the server.")]
Address = Annotated[
    str | None, typer.Option("--address", help="Of Superset; default: the one that runs here.")
]


@superset_app.command()
def up(city: City = "danang", port: Port = 8088) -> None:
    """Start Superset on loopback in the background, with the city's reports."""
    from pipeline.superset.server import up

    raise typer.Exit(up(city, port=port))


@superset_app.command()
def down() -> None:
    """End Superset and everything that was started with it."""
    from pipeline.superset.server import down

    raise typer.Exit(down())


@superset_app.command()
def status() -> None:
    """Say whether Superset answers; exit code 1 where it does not."""
    from pipeline.superset.server import status

    raise typer.Exit(status())


@superset_app.command()
def serve(
    city: City = "danang",
    listen: Annotated[
        str, typer.Option("--listen", help="Address of the interface to answer on.")
    ] = "127.0.0.1",
    port: Port = 8088,
) -> None:
    """Be the server of a deployment, in the foreground."""
    from pipeline.superset.server import serve

    serve(city, listen, port)


@superset_app.command()
def health(address: Address = None) -> None:
    """Say whether a server shows its pages; exit code 1 where it does not."""
    from pipeline.superset.server import USUAL_ADDRESS, print_health

    raise typer.Exit(print_health(address or USUAL_ADDRESS))


@reports_app.command()
def render(
    city: City, output: Annotated[Path, typer.Option("--output", help="Folder to write.")]
) -> None:
    """Write database, datasets, charts and dashboards as YAML files."""
    from pipeline.superset.reports import render

    raise typer.Exit(render(city, output))


@reports_app.command()
def check(
    city: City,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Check the files of a folder instead.")
    ] = None,
) -> None:
    """Check dashboard, chart, dataset, view and column without a server; names the file."""
    from pipeline.superset.reports import check

    raise typer.Exit(check(city, folder))


@reports_app.command()
def plan(city: City, address: Address = None) -> None:
    """Show what a server has otherwise, changes by hand too; exit code 3 where anything is."""
    from pipeline.superset.reports import plan

    raise typer.Exit(plan(city, address))


@reports_app.command()
def apply(city: City, address: Address = None) -> None:
    """Bring reports, roles, conditions on rows and users into a server, and verify them."""
    from pipeline.superset.reports import apply_assets

    raise typer.Exit(apply_assets(city, address))


@reports_app.command()
def prune(city: City, address: Address = None) -> None:
    """Remove what was made here and is no more; what others made stays."""
    from pipeline.superset.reports import prune

    raise typer.Exit(prune(city, address))
