"""A real mail server on this machine, which can refuse and shows what it took."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

PASSWORD = "a-password-nobody-sees"  # noqa: S105 - of a server that lives for one test
ADDRESSES = {
    "CITYLAKE_DANANG_MAIL_CITY": "city.secretary@example.org",
    "CITYLAKE_DANANG_MAIL_HAI_CHAU": "ward.secretary@example.org",
}


@dataclass
class Post:
    """What a server does, and what it took.

    Attributes:
        replies: What it answers instead of taking, by command.
        taken: Messages, in order.
        envelopes: The addresses of each.
        slow_seconds: How long it takes over a message.
    """

    port: int
    replies: dict[str, str] = field(default_factory=dict)
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)
    slow_seconds: float = 0.0

    @property
    def variables(self) -> dict[str, str]:
        """The environment that names it, and an address of each recipient of Da Nang."""
        return {
            "CITYLAKE_SMTP_HOST": "127.0.0.1",
            "CITYLAKE_SMTP_PORT": str(self.port),
            "CITYLAKE_SMTP_FROM": "citylake@example.org",
            "CITYLAKE_SMTP_USER": "citylake",
            "CITYLAKE_SMTP_PASSWORD": PASSWORD,
            **ADDRESSES,
        }

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or refuse and say the address again, as servers do."""
        if refusal := self.replies.get("RCPT"):
            return f"{refusal} {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - likewise
        """Take a message, or refuse it."""
        if refusal := self.replies.get("DATA"):
            return refusal
        await asyncio.sleep(self.slow_seconds)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.envelopes.append(envelope.rcpt_tos)
        return "250 OK"


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def mail_server() -> Iterator[Post]:
    """A server that wants a password; it ends with the block."""
    post = Post(free_port())
    controller = Controller(
        post,
        hostname="127.0.0.1",
        port=post.port,
        authenticator=_authenticate,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


def _authenticate(
    server: Any, session: Any, envelope: Any, mechanism: str, data: Any
) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=data.password == PASSWORD.encode(), handled=False)
