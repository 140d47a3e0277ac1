"""Failures of a source: every one is transient or terminal, by type."""

from dataclasses import dataclass

from warehouse.errors import CitylakeError


class SourceError(CitylakeError):
    """A source could not be read; the text is one line that says where and which rule.

    The text never holds a secret or the content of a record.

    Attributes:
        source: Source id, for example `feedback.open311`.
        rule: Short code of what was broken, for example `missing_column`.
        file: Name of the raw object, or None where none was reached.
        page: Number of the page, or None for sources without pages.
        row: Number of the record in its raw object, from 0, or None.
        column: Name of the raw column, or None.
    """

    def __init__(
        self,
        source: str,
        rule: str,
        message: str,
        *,
        file: str | None = None,
        page: int | None = None,
        row: int | None = None,
        column: str | None = None,
    ) -> None:
        self.source = source
        self.rule = rule
        self.file = file
        self.page = page
        self.row = row
        self.column = column
        super().__init__(Place(source, file, page).line(rule, message, row=row, column=column))


class TransientError(SourceError):
    """The same request may succeed later: the attempt ends, the source stays as it was."""


class TerminalError(SourceError):
    """The same request will fail again until someone changes the source or its contract."""


class GoneError(TerminalError):
    """The server no longer has what an address named."""


@dataclass(frozen=True)
class Place:
    """Where in a source something was read; makes lines and errors that say so.

    Attributes:
        source: Source id.
        file: Name of the raw object, or None before one was reached.
        page: Number of the page, or None for sources without pages.
    """

    source: str
    file: str | None = None
    page: int | None = None

    def line(
        self, rule: str, message: str, *, row: int | None = None, column: str | None = None
    ) -> str:
        """One line that says where, what and which rule."""
        parts = [f"source {self.source}"]
        parts += [f"file {self.file}"] if self.file is not None else []
        # The name of a page already says its number.
        named = self.page is None or (self.file or "").endswith(f"page {self.page}")
        parts += [] if named else [f"page {self.page}"]
        parts += [f"row {row}"] if row is not None else []
        parts += [f"column {column}"] if column is not None else []
        return " ".join(f"{', '.join(parts)}: {message} [{rule}]".split())

    def terminal(
        self, rule: str, message: str, *, row: int | None = None, column: str | None = None
    ) -> TerminalError:
        """A terminal error at this place."""
        return TerminalError(
            self.source, rule, message, file=self.file, page=self.page, row=row, column=column
        )

    def gone(self, rule: str, message: str) -> GoneError:
        """An error of something that is no longer at this place."""
        return GoneError(self.source, rule, message, file=self.file, page=self.page)

    def transient(self, rule: str, message: str) -> TransientError:
        """A transient error at this place."""
        return TransientError(self.source, rule, message, file=self.file, page=self.page)
