"""A recipient's brief by e-mail: once for each content, with the recipient's own rights."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from pipeline.brief import Desk, open_desk
from pipeline.lock import run_lock
from reports.brief.document import pdf
from reports.brief.facts import facts_digest
from reports.brief.mail import MailServer, brief_message, send
from reports.brief.subject import BriefError
from warehouse.access import Recipient
from warehouse.boundary import reached
from warehouse.errors import CitylakeError
from warehouse.files import canonical_json, create_exclusively, digest

FOLDER = "sent"
HOST, PORT, SENDER = "CITYLAKE_SMTP_HOST", "CITYLAKE_SMTP_PORT", "CITYLAKE_SMTP_FROM"
USER, PASSWORD = "CITYLAKE_SMTP_USER", "CITYLAKE_SMTP_PASSWORD"  # noqa: S105 - a variable's name
# Submission of mail (RFC 6409).
_USUAL_PORT = "587"
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+", re.ASCII)
_IDENTITY_DIGITS = 32


class NotSetUpError(CitylakeError):
    """Mail that nobody has set up here: the text names the variables that are missing."""


def send_brief(city: str, day: date, recipient: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Send a recipient the brief of a day, unless one that says the same was sent before.

    What was sent is noted in `journal/sent/` once the mail server has taken it. A process that is
    ended between the two sends it again, with the same Message-ID; two at once send it once.

    Args:
        city: Name or folder of the city.
        day: The day that the brief carries.
        recipient: Code of the recipient in `access.yaml`.
        environ: Where address and mail server stand.

    Returns:
        `recipient`, `day`, `content` (digest of what the brief says) and `sent`, which is false
        where it had been sent before. No address.

    Raises:
        NotSetUpError: when variables are missing.
        BriefError: when there is no such recipient, or no brief can be made.
        MailLaterError: when the mail server may take it later.
        MailError: when it refuses.
    """
    desk = open_desk(city)
    who = _recipient(desk, recipient)
    server, address = _server(environ, who)
    role = desk.access.roles[who.role]
    (area,) = [each for each in desk.geography.areas if each.key == who.area]
    facts = desk.facts(area, role, day, who.language)
    content = facts_digest(facts)
    identity = digest("\n".join((city, recipient, day.isoformat(), content)).encode())
    folder = desk.paths.journal / FOLDER
    note = folder / f"{recipient}-{content[:_IDENTITY_DIGITS]}.json"
    told = {"recipient": recipient, "day": day.isoformat(), "content": content}
    with run_lock(folder / f"{recipient}.lock"):
        if note.exists():
            return {**told, "sent": False}
        message = brief_message(facts, pdf(facts), recipient, address)
        send(message, server, identity[:_IDENTITY_DIGITS])
        reached("brief.before_note")
        sent_at = datetime.now(UTC).isoformat()
        noted = canonical_json({**told, "sent_at": sent_at})
        create_exclusively(note, noted, desk.paths.work)
    return {**told, "sent": True}


def _recipient(desk: Desk, code: str) -> Recipient:
    found = desk.access.recipients.get(code)
    if found is None:
        known = ", ".join(desk.access.recipients) or "none"
        raise BriefError(f"there is no recipient {code} in access.yaml ({known})")
    return found


def _server(environ: Mapping[str, str], recipient: Recipient) -> tuple[MailServer, str]:
    """Mail server and address of a recipient; errors name variables, never what they hold."""
    given = {
        name: environ.get(name, "").strip()
        for name in (HOST, SENDER, PORT, USER, PASSWORD, recipient.address_variable)
    }
    needed = (HOST, SENDER, recipient.address_variable)
    missing = [name for name in needed if not given[name]]
    missing += [PASSWORD] if given[USER] and not given[PASSWORD] else []
    if missing:
        raise NotSetUpError(f"mail is not set up here: {', '.join(missing)} not set")
    for name in (SENDER, recipient.address_variable):
        if not _ADDRESS.fullmatch(given[name]):
            raise BriefError(f"{name} holds no e-mail address")
    port = given[PORT] or _USUAL_PORT
    if not (port.isdecimal() and 0 < int(port) < 1 << 16):
        raise BriefError(f"{PORT} holds no port")
    server = MailServer(
        given[HOST], int(port), given[SENDER], given[USER] or None, given[PASSWORD] or None
    )
    return server, given[recipient.address_variable]
