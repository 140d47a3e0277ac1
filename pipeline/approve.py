"""`citylake approve` and `citylake refuse`: a named person's word on a held candidate."""

import shlex
import sys

from pipeline.candidate import publish_decided
from pipeline.context import Context, open_context
from pipeline.exit_codes import ExitCode
from pipeline.lock import run_lock
from pipeline.settings import city_argument
from warehouse.city import City
from warehouse.promotion import Promotion, approve, refuse


def approve_command(city: City, publication: str, candidate: str) -> str:
    """The command that a person types to publish a held candidate; only the name is left open."""
    words = ["citylake", "approve", "--city", city_argument(city.name, city.folder), publication]
    return f"{shlex.join([*words, '--candidate', candidate])} --person '<name>'"


def approve_candidate(city: str, publication: str, candidate: str, person: str) -> ExitCode:
    """Promote a held candidate, enter who said so into the ledger, and release it.

    Raises:
        PromotionError: when the candidate does not wait, or no person is named.
    """
    promotion = approve_held(open_context(city), publication, candidate, person)
    entry = promotion.record.entries[publication]
    version = entry.promoted.version if entry.promoted else "-"
    sys.stdout.write(f"{publication} {version}: approved by {person.strip()}\n")
    return ExitCode.PUBLISHED


def refuse_candidate(city: str, publication: str, candidate: str, person: str) -> ExitCode:
    """Let a held candidate go and enter who said so into the ledger; readers see what they saw.

    Raises:
        PromotionError: when the candidate does not wait, or no person is named.
    """
    refuse_held(open_context(city), publication, candidate, person)
    sys.stdout.write(f"{publication} {candidate[:12]}: refused by {person.strip()}\n")
    return ExitCode.PUBLISHED


def approve_held(context: Context, publication: str, candidate: str, person: str) -> Promotion:
    """Promote a held candidate and publish it.

    Raises:
        PromotionError: as for `warehouse.promotion.approve`.
    """
    with run_lock(context.paths.lock):
        promotion = approve(context.paths, publication, candidate, person, context.city.marts)
        publish_decided(context)
    return promotion


def refuse_held(
    context: Context, publication: str, candidate: str, person: str | None
) -> Promotion:
    """Refuse a held candidate and tell readers of reports that it is rejected.

    Raises:
        PromotionError: as for `warehouse.promotion.refuse`.
    """
    with run_lock(context.paths.lock):
        promotion = refuse(context.paths, publication, candidate, person)
        publish_decided(context)
    return promotion
