"""The brief by e-mail, taken by a real server on this machine."""

import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from email.message import EmailMessage, Message
from pathlib import Path

import pytest

from pipeline import steps
from pipeline.brief_sending import NotSetUpError
from pipeline.orchestration.failures import PASSING
from reports.brief.mail import MailError, MailLaterError, MailServer, send
from reports.brief.subject import BriefError
from tests.headlines import REPOSITORY, headlines
from tests.mail_server import ADDRESSES, PASSWORD, Post, free_port, mail_server
from tests.unit.reports.briefs import DAY, Desk, read_back
from warehouse.boundary import KILL_VARIABLE

CITY, WARD = "thanh_pho", "hai_chau"
BOUNDARY = "brief.before_note"
ON = DAY.isoformat()


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    """A mail server that wants a password, and the environment that names it."""
    with mail_server() as post:
        for name, value in post.variables.items():
            monkeypatch.setenv(name, value)
        yield post


def _attached(message: Message) -> bytes:
    (attachment,) = message.iter_attachments()  # type: ignore[attr-defined]
    assert attachment.get_content_type() == "application/pdf"
    content: bytes = attachment.get_content()
    return content


def _notes(desk: Desk) -> list[Path]:
    return sorted((desk.file.parents[1] / "journal" / "sent").glob("*.json"))


def test_each_recipient_gets_the_own_brief_with_the_own_rights(desk: Desk, post: Post) -> None:
    desk.change("UPDATE mart_district_indicator SET value = 88.8 WHERE area_code <> '20242'")
    desk.change("UPDATE mart_city_indicator SET value = 99.9")
    for recipient in (CITY, WARD):
        assert steps.send_brief("danang", ON, recipient)["sent"]
    assert post.envelopes == [[address] for address in ADDRESSES.values()]
    city, ward = (read_back(_attached(message)).text for message in post.taken)
    assert "Thành phố Đà Nẵng" in city
    assert "99,9%" in city
    assert "Phường Hải Châu" in ward
    assert "99,9" not in ward
    message = post.taken[1]
    assert message["To"] == ADDRESSES["CITYLAKE_DANANG_MAIL_HAI_CHAU"]
    assert message["Subject"] == "Bản tin số liệu điều hành – Phường Hải Châu – 05/07/2025"
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_body()
    assert body is not None
    assert "Kính gửi Lãnh đạo phường Hải Châu," in body.get_content()


@pytest.mark.parametrize(
    ("language", "subject", "body", "inside"),
    [
        pytest.param(
            "vi",
            "Bản tin số liệu điều hành – Phường Hải Châu – 05/07/2025",
            "Kính gửi Lãnh đạo phường Hải Châu,\n\n"
            "Bản tin số liệu của Phường Hải Châu, ngày 05/07/2025, ở tệp đính kèm (hai trang).\n\n"
            "Chưa đạt hoặc gần đạt chỉ tiêu: 1. Chỉ số có số liệu chưa mới nhất: {old}.\n",
            "Chỉ số chính",
            id="vi",
        ),
        pytest.param(
            "en",
            "Brief of city figures – Hai Chau Ward – 5 July 2025",
            "To the Leader of Hai Chau Ward,\n\n"
            "The two-page brief of Hai Chau Ward of 5 July 2025 is attached.\n\n"
            "Off or near target: 1. Indicators that are not up to date: {old}.\n",
            "Headline indicators",
            id="en",
        ),
    ],
)
def test_a_message_is_in_the_language_of_its_recipient(
    desk: Desk, post: Post, tmp_path: Path, language: str, subject: str, body: str, inside: str
) -> None:
    desk.change("UPDATE mart_district_indicator SET value = 71")
    desk.change(
        "UPDATE mart_district_indicator SET value = 1 WHERE indicator_code = 'AD1' "
        "AND area_code = '492' AND period_start = DATE '2025-06-01'"
    )
    desk.change(
        "UPDATE publication_status SET stale = true WHERE publication = 'indicators-feedback'"
    )
    city = tmp_path / "cities" / "danang"
    shutil.copytree(REPOSITORY / "cities" / "danang", city)
    access = city / "access.yaml"
    kept, recipients = access.read_text(encoding="utf-8").split("recipients:")
    assert recipients.count("language: vi") == 2
    spoken = recipients.replace("language: vi", f"language: {language}")
    access.write_text(f"{kept}recipients:{spoken}", encoding="utf-8")
    assert steps.send_brief(str(city), ON, WARD)["sent"]
    (message,) = post.taken
    assert message["Subject"] == subject
    assert message["Content-Language"] == language
    told = message.get_body()
    assert told is not None
    old = len(headlines("feedback"))
    # Mail ends its lines in its own way.
    assert told.get_content().splitlines() == body.format(old=old).splitlines()
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == f"{WARD}-2025-07-05-{language}.pdf"
    assert inside in read_back(_attached(message)).text


def test_what_says_the_same_is_sent_once(desk: Desk, post: Post) -> None:
    first, again = (steps.send_brief("danang", ON, CITY) for _ in range(2))
    assert (first["sent"], again["sent"]) == (True, False)
    assert first["content"] == again["content"]
    assert len(post.taken) == 1
    desk.change("UPDATE mart_city_indicator SET value = value + 1")
    assert steps.send_brief("danang", ON, CITY)["sent"]
    with pytest.raises(BriefError, match="newest run is of 2025-07-05: no brief of 2025-07-06"):
        steps.send_brief("danang", "2025-07-06", CITY)
    desk.change("UPDATE publication_status SET delivered_as_of = DATE '2025-07-06'")
    assert steps.send_brief("danang", "2025-07-06", CITY)["sent"]
    assert len({message["Message-ID"] for message in post.taken}) == 3
    assert len(_notes(desk)) == 3


def test_two_at_once_send_once(desk: Desk, post: Post) -> None:
    post.slow_seconds = 0.3
    results: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(steps.send_brief("danang", ON, CITY)["sent"])
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, True]
    assert len(post.taken) == 1


def test_ended_between_sending_and_noting_it_is_sent_again_under_the_same_name(
    desk: Desk, post: Post
) -> None:
    ended = subprocess.run(  # noqa: S603 - the project's own command
        [sys.executable, "-m", "pipeline.cli", "step", "brief", "--city", "danang", "--date", ON,
         "--recipient", CITY],
        env={**os.environ, KILL_VARIABLE: BOUNDARY},
        capture_output=True,
        check=False,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL
    assert len(post.taken) == 1
    assert _notes(desk) == []
    assert steps.send_brief("danang", ON, CITY)["sent"]
    assert not steps.send_brief("danang", ON, CITY)["sent"]
    first, second = (message["Message-ID"] for message in post.taken)
    assert first == second


@pytest.mark.parametrize(
    ("where", "reply", "kind", "told"),
    [
        pytest.param("RCPT", "550 5.1.1 unknown", MailError, "recipient (550)", id="no-such-box"),
        pytest.param("RCPT", "450 4.2.1 busy", MailLaterError, "recipient (450)", id="box-busy"),
        pytest.param("DATA", "554 5.6.0 no", MailError, "message (554)", id="refused"),
        pytest.param("DATA", "451 4.3.0 later", MailLaterError, "message (451)", id="later"),
    ],
)
def test_a_refusal_is_told_without_the_address_and_may_be_tried_again(
    desk: Desk, post: Post, where: str, reply: str, kind: type[Exception], told: str
) -> None:
    post.replies[where] = reply
    with pytest.raises(kind) as refused:
        steps.send_brief("danang", ON, CITY)
    assert told in str(refused.value)
    assert "example.org" not in str(refused.value)
    assert refused.value.__suppress_context__
    assert _notes(desk) == []
    assert isinstance(refused.value, tuple(each for each in PASSING if isinstance(each, type))) == (
        kind is MailLaterError
    )
    post.replies.clear()
    assert steps.send_brief("danang", ON, CITY)["sent"]


def test_a_wrong_password_is_refused_and_never_shown(
    desk: Desk, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYLAKE_SMTP_PASSWORD", "another-secret")
    with pytest.raises(MailError, match=r"refuses user and password \(535\)") as refused:
        steps.send_brief("danang", ON, CITY)
    assert "another-secret" not in str(refused.value)
    assert post.taken == []


def test_nobody_there_is_tried_again_later(
    desk: Desk, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYLAKE_SMTP_PORT", str(free_port()))
    with pytest.raises(MailLaterError, match="does not answer"):
        steps.send_brief("danang", ON, CITY)


def test_beyond_loopback_nothing_is_said_without_tls(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = EmailMessage()
    message["To"] = "somebody@example.org"
    assert MailServer("127.0.0.1", 25, "a@example.org").is_loopback
    assert MailServer("localhost", 25, "a@example.org").is_loopback
    far = MailServer("mail.example.org", post.port, "a@example.org", "citylake", PASSWORD)
    assert not far.is_loopback
    assert PASSWORD not in repr(far)
    # The name leads to the server of this machine, which offers no TLS.
    connect = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda to, *rest: connect(("127.0.0.1", to[1]), *rest)
    )
    logins: list[object] = []
    monkeypatch.setattr(smtplib.SMTP, "login", lambda *given: logins.append(given))
    with pytest.raises(MailError, match="no TLS"):
        send(message, far, "1")
    assert logins == []
    assert post.taken == []


@pytest.mark.parametrize(
    ("variable", "value", "kind", "told"),
    [
        pytest.param("CITYLAKE_SMTP_HOST", "", NotSetUpError, "CITYLAKE_SMTP_HOST", id="host"),
        pytest.param(
            "CITYLAKE_DANANG_MAIL_CITY", " ", NotSetUpError, "CITYLAKE_DANANG_MAIL_CITY", id="to"
        ),
        pytest.param(
            "CITYLAKE_SMTP_PASSWORD", "", NotSetUpError, "CITYLAKE_SMTP_PASSWORD", id="password"
        ),
        pytest.param("CITYLAKE_SMTP_PORT", "smtp", BriefError, "holds no port", id="port"),
        pytest.param(
            "CITYLAKE_DANANG_MAIL_CITY",
            "secret@example.org\nBcc: x@example.org",
            BriefError,
            "CITYLAKE_DANANG_MAIL_CITY holds no e-mail address",
            id="two-addresses",
        ),
    ],
)
def test_what_is_not_set_up_is_named(
    desk: Desk,
    post: Post,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    kind: type[Exception],
    told: str,
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(kind, match=told) as refused:
        steps.send_brief("danang", ON, CITY)
    assert "example.org" not in str(refused.value)
    assert post.taken == []


def test_a_recipient_that_is_not_there_is_named(desk: Desk, post: Post) -> None:
    with pytest.raises(BriefError, match="no recipient nobody in access.yaml .thanh_pho, hai_chau"):
        steps.send_brief("danang", ON, "nobody")


def test_notes_and_outcomes_hold_no_address(desk: Desk, post: Post) -> None:
    outcome = steps.send_brief("danang", ON, CITY)
    (note,) = _notes(desk)
    kept = note.read_text(encoding="utf-8") + note.name + json.dumps(outcome)
    assert "example.org" not in kept
    assert PASSWORD not in kept
    assert json.loads(note.read_text())["recipient"] == CITY
