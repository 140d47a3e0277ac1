"""Which failures of a step may pass by themselves: the one list that retries go by."""

from extract.errors import TransientError
from reports.brief.mail import MailLaterError
from warehouse.errors import CitylakeError

PASSING: list[type[BaseException] | str] = [TransientError, MailLaterError]
# Looked at after those that pass, which are of this class too.
LASTING: list[type[BaseException] | str] = [CitylakeError]
