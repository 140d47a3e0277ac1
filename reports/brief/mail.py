"""A brief by e-mail. What a server says is never repeated: it may name the address."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from ipaddress import ip_address
from typing import TYPE_CHECKING

from publish.wording import Text
from warehouse.errors import CitylakeError

if TYPE_CHECKING:
    from reports.brief.facts import Facts

# A name that no server has (RFC 2606): the left part alone tells messages apart.
_DOMAIN = "citylake.invalid"
_PATIENCE_SECONDS = 30
_PASSING_CODES = range(400, 500)
_GREETING = Text(
    "Kính gửi {reader},\n\nBản tin số liệu của {area}, ngày {day}, ở tệp đính kèm (hai trang).\n",
    "To the {reader},\n\nThe two-page brief of {area} of {day} is attached.\n",
)
_ATTENTION = Text(
    "Chưa đạt hoặc gần đạt chỉ tiêu: {off}. Chỉ số có số liệu chưa mới nhất: {old}.\n",
    "Off or near target: {off}. Indicators that are not up to date: {old}.\n",
)


class MailError(CitylakeError):
    """A message that was not taken, and will not be until somebody changes something."""


class MailLaterError(CitylakeError):
    """A message that was not taken now; the same message may be taken later."""


@dataclass(frozen=True)
class MailServer:
    """Who takes messages.

    Attributes:
        user: Name that logs in, or None where nobody has to.
        sender: Address that messages come from.
    """

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether what is said to it never leaves the machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def brief_message(facts: "Facts", content: bytes, recipient: str, address: str) -> EmailMessage:
    """The message that carries a brief, in the brief's language; without sender and date.

    Args:
        facts: What the brief says.
        content: The PDF.
        recipient: Code of the recipient.
        address: Where it goes.
    """
    language = facts["language"]
    name = f"{facts['words']['brief']} – {facts['area']} – {facts['day_text']}"
    message = EmailMessage()
    message["To"] = address
    message["Subject"] = name
    # Nobody is to answer a machine, and no machine is to answer at all (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    told = [
        _GREETING.of(language).format(
            reader=facts["reader"], area=facts["area"], day=facts["day_text"]
        ),
        _ATTENTION.of(language).format(
            off=len(facts["off_target"]) + facts["off_target_more"], old=len(facts["not_current"])
        ),
    ]
    message.set_content("\n".join(told))
    message.add_attachment(
        content,
        maintype="application",
        subtype="pdf",
        filename=f"{recipient}-{facts['day']}-{language}.pdf",
    )
    # Setting a content removes what says something of the one before.
    message["Content-Language"] = language
    return message


def send(message: EmailMessage, server: MailServer, identity: str) -> None:
    """Give a message to a mail server; beyond loopback only over TLS.

    Args:
        message: Without sender, date and identity, which it is given here.
        server: Who takes it.
        identity: The same for a message that is sent again, so that readers can tell.

    Raises:
        MailLaterError: when the server does not answer, or asks to come again.
        MailError: when it refuses.
    """
    message["From"] = server.sender
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{identity}@{_DOMAIN}>"
    try:
        with smtplib.SMTP(server.host, server.port, timeout=_PATIENCE_SECONDS) as connection:
            if not server.is_loopback:
                connection.starttls(context=ssl.create_default_context())
            if server.user is not None:
                connection.login(server.user, server.password or "")
            connection.send_message(message)
    except smtplib.SMTPNotSupportedError:
        raise MailError("the mail server offers no TLS or no login") from None
    except smtplib.SMTPAuthenticationError as error:
        raise _refusal("the mail server refuses user and password", error.smtp_code) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _refusal("the mail server refuses the recipient", max(codes)) from None
    except smtplib.SMTPConnectError:
        raise MailLaterError("the mail server does not answer") from None
    except smtplib.SMTPResponseException as error:
        raise _refusal("the mail server refuses the message", error.smtp_code) from None
    except ssl.SSLError:
        raise MailError("the mail server's certificate or TLS cannot be trusted") from None
    except (OSError, smtplib.SMTPException):
        raise MailLaterError("the mail server does not answer") from None


def _refusal(what: str, code: int) -> CitylakeError:
    kind = MailLaterError if code in _PASSING_CODES else MailError
    return kind(f"{what} ({code})")
