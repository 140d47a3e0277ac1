"""Facts set as PDF: the only place that knows typst."""

import json
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reports.brief.facts import Facts

if TYPE_CHECKING:
    import typst

TEMPLATE = Path(__file__).with_name("brief.typ")
# Archival, tagged for those who have it read to them, with every letter known as Unicode.
STANDARDS: "list[typst.PDFStandard]" = ["a-2a", "ua-1"]


def pdf(facts: Facts) -> bytes:
    """The brief as PDF/A: equal facts give equal bytes, on every machine.

    Args:
        facts: As `reports.brief.facts.read_facts` gives them.

    Returns:
        The file's content; its two pages hold no font that is not embedded, and its date is the
        day of the brief.
    """
    day = datetime.combine(date.fromisoformat(facts["day"]), time(), UTC)
    content = _compiler().compile(
        format="pdf",
        sys_inputs={"facts": json.dumps(facts, ensure_ascii=False)},
        pdf_standards=STANDARDS,
        timestamp=day,
    )
    assert isinstance(content, bytes)  # noqa: S101 - one document, and no output file named
    return content


@cache
def _compiler() -> "typst.Compiler":
    """A compiler that sees the template and the package's own fonts, nothing of the machine."""
    import typst

    fonts = typst.Fonts(include_system_fonts=False)
    return typst.Compiler(TEMPLATE, root=TEMPLATE.parent, font_paths=fonts)
