"""What is wrong with a contract, said by file, line and rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import CitylakeError


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that makes a file unusable.

    Attributes:
        path: The file.
        line: Line in it, from 1.
        rule: Code of the broken rule, for example `citylake.unknown_key`.
        message: What to change; never quotes a text, because a text may be a secret.
    """

    path: Path
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


class ContractError(CitylakeError):
    """One or more files cannot be used; `problems` lists everything that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def raise_on(problems: Sequence[Problem]) -> None:
    """Raise when there is any problem.

    Raises:
        ContractError: with all of them.
    """
    if problems:
        raise ContractError(problems)
