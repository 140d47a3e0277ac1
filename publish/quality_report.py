"""The quality report of a release: for machines (JSON) and for people (Markdown).

Fields follow the ESMS concepts (Euro-SDMX Metadata Structure): contact, statistical
presentation, reference period, coverage, timeliness, accuracy, revision.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from publish.data_package import bilingual
from warehouse.contract.model import Column
from warehouse.promotion_record import Content
from warehouse.publication import Publication
from warehouse.sql import quoted

_STATUS = {
    "passed": "đạt / passed",
    "failed": "không đạt / failed",
    "errored": "lỗi / errored",
    "skipped": "bỏ qua / skipped",
    "missing": "thiếu / missing",
}


def coverage(
    connection: duckdb.DuckDBPyConnection, query: str, columns: Sequence[Column]
) -> dict[str, Any]:
    """What a release covers.

    Args:
        connection: Session that can read the rows.
        query: SELECT of the published rows.
        columns: Published columns.

    Returns:
        `rows`; `periods`: date column -> first and last day; `missing`: column -> number of
        rows without value, where there are any.
    """
    # The first day of an area's validity names the area; it is no period of the data.
    dates = [
        column.name
        for column in columns
        if column.sql_type.upper() == "DATE" and not column.name.endswith("_valid_from")
    ]
    measures = ["count(*)"]
    measures += [f"count(*) - count({quoted(column.name)})" for column in columns]
    measures += [
        f"CAST({which}({quoted(name)}) AS VARCHAR)" for name in dates for which in ("min", "max")
    ]
    row = connection.execute(f"SELECT {', '.join(measures)} FROM ({query})").fetchall()[0]  # noqa: S608 - names are quoted
    gaps = row[1 : 1 + len(columns)]
    days = row[1 + len(columns) :]
    return {
        "rows": row[0],
        "periods": {
            name: {"first": days[2 * position], "last": days[2 * position + 1]}
            for position, name in enumerate(dates)
        },
        "missing": {
            column.name: count for column, count in zip(columns, gaps, strict=True) if count
        },
    }


def quality_report(
    publication: Publication,
    content: Content,
    columns: Sequence[Column],
    covered: Mapping[str, Any],
    checks: Sequence[Mapping[str, Any]],
    quarantined: Mapping[str, int],
) -> dict[str, Any]:
    """The report as plain JSON, without clock.

    Args:
        publication: What is released.
        content: What was promoted.
        columns: Published columns.
        covered: Result of `coverage`.
        checks: Check results as plain JSON.
        quarantined: Records by source that broke a rule and are in no published number.
    """
    return {
        "dataset": publication.name,
        "version": content.version,
        "title": dict(publication.title),
        "contact": {
            "organisation": publication.owner,
            "name": dict(publication.owner_name),
        },
        "statistical_presentation": {
            "description": dict(publication.description),
            "units": {column.name: column.unit for column in columns if column.unit},
        },
        "coverage": dict(covered),
        "timeliness": {
            "data_as_of": content.data_as_of.isoformat(),
            "update_frequency": publication.update_frequency,
        },
        "revision": {"window_days": publication.revision_window_days},
        "accuracy": {
            "verdict": "publish",
            "approved_by_person": content.approved_by is not None,
            "summary": _summary(checks),
            "quarantined_records": dict(quarantined),
            "checks": [dict(check) for check in checks],
        },
    }


def markdown(report: Mapping[str, Any]) -> str:
    """The report for people, Vietnamese first, English beside it."""
    covered, accuracy = report["coverage"], report["accuracy"]
    approved = (
        "công bố theo phê duyệt / published on approval"
        if accuracy["approved_by_person"]
        else "công bố / published"
    )
    facts = [
        ("Phiên bản / Version", report["version"]),
        ("Đơn vị phụ trách / Responsible agency", _agency(report["contact"])),
        ("Dữ liệu tính đến / Data as of", report["timeliness"]["data_as_of"]),
        ("Tần suất / Frequency", report["timeliness"]["update_frequency"]),
        ("Thời hạn hiệu chỉnh (ngày) / Revision window (days)", report["revision"]["window_days"]),
        ("Số dòng / Rows", covered["rows"]),
        *(
            (f"Kỳ / Period: {name}", f"{period['first']} – {period['last']}")
            for name, period in covered["periods"].items()
        ),
        *(
            (f"Thiếu giá trị / Missing values: {name}", count)
            for name, count in covered["missing"].items()
        ),
        *(
            (
                f"Bản ghi bị cách ly, không được tính / Quarantined records, not counted: {name}",
                count,
            )
            for name, count in accuracy["quarantined_records"].items()
        ),
        ("Kết luận / Verdict", approved),
    ]
    checks = [
        (
            f"`{check['check']}`",
            check["engine"],
            check["severity"],
            _STATUS[check["status"]],
            "" if check["failing"] is None else check["failing"],
            check["message"],
        )
        for check in accuracy["checks"]
    ]
    head = ("Kiểm tra / Check", "Engine", "Mức / Severity", "Kết quả / Result", "Dòng / Rows", "")
    lines = [
        f"# {bilingual(report['title'])}",
        "",
        bilingual(report["statistical_presentation"]["description"], "\n\n"),
        "",
        "## Chất lượng / Quality",
        "",
        *_table(("", ""), facts),
        "",
        "## Các kiểm tra / Checks",
        "",
        *_table(head, checks),
    ]
    return "\n".join(lines) + "\n"


def _agency(contact: Mapping[str, Any]) -> str:
    """Who answers, in words, with the code."""
    name, code = bilingual(contact["name"]), contact["organisation"]
    return f"{name} (`{code}`)" if name else f"`{code}`"


def _summary(checks: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many checks ended in which way."""
    statuses = [str(check["status"]) for check in checks]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Lines of a Markdown table."""
    body = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    cells = [list(head), ["---"] * len(head), *body]
    return ["| " + " | ".join(row) + " |" for row in cells]
