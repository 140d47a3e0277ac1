# ruff: noqa: S608 - fixed text
"""Which rules the bad records of a batch broke, and where the first of each stands."""

from dataclasses import dataclass

from warehouse.staging import OBJECT_BITS, ROW_MASK, Staged


@dataclass(frozen=True)
class SetAside:
    """The records of a batch that broke one rule.

    Attributes:
        reason: Code of the rule, for example `requested_at:type`.
        records: How many broke it; a record that broke two counts for both.
        file: Raw object of the first of them.
        row: Its number in that object, from 0.
    """

    reason: str
    records: int
    file: str
    row: int


def set_aside(staged: Staged) -> tuple[SetAside, ...]:
    """The broken rules of a staged batch, the one that most records broke first."""
    if not staged.quarantined:
        return ()
    found = staged.connection.execute(
        f"""
        SELECT b.reason, b.records, o.name, (b.first & {ROW_MASK})::BIGINT
        FROM (
            SELECT reason, count(*) AS records, min(_record) AS first
            FROM (SELECT unnest(reasons) AS reason, _record FROM bad) GROUP BY reason
        ) b JOIN object o ON o.id = (b.first >> {OBJECT_BITS})
        ORDER BY b.records DESC, b.reason
        """
    ).fetchall()
    return tuple(SetAside(*row) for row in found)
