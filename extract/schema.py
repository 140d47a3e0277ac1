"""What a contract declares of a raw object's columns, and what the data may add."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from extract.errors import Place
from warehouse.contract.model import RawColumn

EVOLVE = "evolve"
FREEZE = "freeze"
LISTED_NAMES = 20


@dataclass(frozen=True)
class RawSchema:
    """The raw columns of one stream.

    Attributes:
        declared: All columns of the contract's raw schema.
        wanted: Names of the columns to deliver, in order; each is declared.
        drift: What an undeclared column does: `evolve`, `freeze` or `discard`.
    """

    declared: tuple[RawColumn, ...]
    wanted: tuple[str, ...]
    drift: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all declared columns."""
        return tuple(column.name for column in self.declared)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that the data must have."""
        return tuple(column.name for column in self.declared if column.required)

    def check_header(self, found: Sequence[str], place: Place) -> frozenset[str]:
        """Compare a header with the declaration.

        Returns:
            The undeclared names, where the drift mode accepts them.

        Raises:
            TerminalError: rule `missing_column` (lists missing and undeclared names together,
                so that a renamed column is seen as one) or `undeclared_column`.
        """
        missing = [name for name in self.required if name not in set(found)]
        undeclared = sorted(name for name in set(found) - set(self.names) if name)
        if missing:
            raise place.terminal("missing_column", _difference(missing, undeclared))
        return self.check_undeclared(undeclared, place)

    def check_undeclared(self, names: Iterable[str], place: Place) -> frozenset[str]:
        """The undeclared names, where the drift mode accepts them.

        Raises:
            TerminalError: rule `undeclared_column`, when the drift mode is `freeze`.
        """
        undeclared = frozenset(names)
        if undeclared and self.drift == FREEZE:
            raise place.terminal("undeclared_column", _difference([], sorted(undeclared)))
        return undeclared

    def check_present(self, absent: Iterable[str], undeclared: Iterable[str], place: Place) -> None:
        """Refuse records of which none has some required column.

        Raises:
            TerminalError: rule `missing_column`.
        """
        missing = [name for name in self.required if name in set(absent)]
        if missing:
            raise place.terminal("missing_column", _difference(missing, sorted(undeclared)))


def _difference(missing: Sequence[str], undeclared: Sequence[str]) -> str:
    parts = [f"missing columns: {listed(missing)}"] if missing else []
    parts += [f"undeclared columns: {listed(undeclared)}"] if undeclared else []
    return "; ".join(parts) or "columns differ"


def listed(names: Sequence[str]) -> str:
    """Names in quotes, the first of them only where there are very many."""
    shown = ", ".join(f"'{name}'" for name in names[:LISTED_NAMES])
    rest = len(names) - LISTED_NAMES
    return f"{shown} and {rest} more" if rest > 0 else shown
