"""The contracts that all cities share, read when they are asked for."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from warehouse.contract.model import TableContract
from warehouse.contract.read import read_table


class ContractFolder(Mapping[str, TableContract]):
    """Table contracts by name; a step that needs one does not pay for the others."""

    def __init__(self, folder: Path, kind: str) -> None:
        """A folder of contracts.

        Args:
            folder: Folder with `<name>.yaml`.
            kind: `table`, or `mart`.
        """
        self._folder = folder
        self._kind = kind
        self._read: dict[str, TableContract] = {}

    @cached_property
    def _paths(self) -> dict[str, Path]:
        return {path.stem: path for path in sorted(self._folder.glob("*.yaml"))}

    def __getitem__(self, name: str) -> TableContract:
        """The contract.

        Raises:
            KeyError: when there is none of this name.
            ContractError: with file, line and rule of everything that is wrong in it.
        """
        if name not in self._read:
            self._read[name] = read_table(self._paths[name], self._kind)
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a file of this name, whatever is in it."""
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        """The names, in order."""
        return iter(self._paths)

    def __len__(self) -> int:
        """How many files there are."""
        return len(self._paths)
