"""`citylake approve`: a named person's word on a held candidate."""

import shlex
import sys

from pipeline.context import open_context
from pipeline.exit_codes import ExitCode
from pipeline.lock import run_lock
from pipeline.settings import city_argument
from publish.release import repair
from publish.serving import replace_serving
from quality.decisions import record_decisions
from warehouse.city import City
from warehouse.promotion import approve


def approve_command(city: City, publication: str, candidate: str) -> str:
    """The command that a person types to publish a held candidate; only the name is left open."""
    words = ["citylake", "approve", "--city", city_argument(city.name, city.folder), publication]
    return f"{shlex.join([*words, '--candidate', candidate])} --person '<name>'"


def approve_candidate(city: str, publication: str, candidate: str, person: str) -> ExitCode:
    """Promote a held candidate, enter who said so into the ledger, and release it.

    Raises:
        PromotionError: when the candidate does not wait, or no person is named.
    """
    context = open_context(city)
    publications = tuple(context.registry.publications.values())
    with run_lock(context.paths.lock):
        promotion = approve(context.paths, publication, candidate, person, context.city.marts)
        record_decisions(context.paths)
        repair(context.paths, publications, context.city.marts)
        replace_serving(context.paths, publications, context.city.marts, named=context.named)
    entry = promotion.record.entries[publication]
    version = entry.promoted.version if entry.promoted else "-"
    sys.stdout.write(f"{publication} {version}: approved by {person.strip()}\n")
    return ExitCode.PUBLISHED
