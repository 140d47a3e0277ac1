"""One call from a built candidate to the gate's word on every publication."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path

import duckdb

from quality import contract_checks, core_checks, dbt_results, gx_checks, gx_core
from quality.gate import GatePolicy, Judgement, judge
from quality.result import CheckResult, CheckStatus, PlannedCheck, Verdict
from warehouse.contract.model import TableContract
from warehouse.mart_file import attach, columns_of, row_count, scratch_session
from warehouse.paths import CityPaths
from warehouse.promotion_record import current
from warehouse.publication import Publication

GX_AT_ONCE = 2


@dataclass(frozen=True)
class Checked:
    """A publication's candidate with all that was found of it."""

    publication: Publication
    judgement: Judgement
    results: tuple[CheckResult, ...]

    @property
    def verdict(self) -> Verdict:
        """What the gate says."""
        return self.judgement.verdict

    @property
    def reasons(self) -> tuple[str, ...]:
        """Reasons and warnings as lines for people; checks that one cause kept away share one."""
        missing = {
            (each.engine, each.check) for each in self.results if each.status is CheckStatus.MISSING
        }
        lines: dict[tuple[str, str, str], list[str]] = {}
        for reason in self.judgement.reasons:
            own = "" if (reason.engine, reason.check) in missing else reason.check
            lines.setdefault((reason.engine, own, reason.text), []).append(reason.check)
        return tuple(
            f"{engine} {checks[0]}{_and_more(checks)}: {text}".strip()
            for (engine, _, text), checks in lines.items()
        )

    @property
    def failing(self) -> tuple[str, ...]:
        """Names of the checks that did not pass, warnings too."""
        return tuple(
            result.check for result in self.results if result.status is not CheckStatus.PASSED
        )


def _and_more(checks: Sequence[str]) -> str:
    return f" and {len(checks) - 1} more" if len(checks) > 1 else ""


@dataclass(frozen=True)
class Built:
    """What a build left behind.

    Attributes:
        candidate: The candidate mart file; may be missing.
        run_results: dbt's results; may be missing.
        manifest: dbt's manifest; may be missing.
        as_of: The processing day.
    """

    candidate: Path
    run_results: Path
    manifest: Path
    as_of: date


def check(
    paths: CityPaths,
    built: Built,
    publications: Sequence[Publication],
    contracts: Mapping[str, TableContract],
    data_as_of: Mapping[str, date],
    policy: GatePolicy | None = None,
    health_tables: Mapping[str, tuple[str, ...]] | None = None,
    core: core_checks.CoreScope | None = None,
) -> list[Checked]:
    """Check every publication's candidate and let the gate judge it.

    Args:
        paths: Folders of the city.
        built: What the build left behind.
        publications: Of the city.
        contracts: Mart contracts by name.
        data_as_of: Publication -> greatest as-of of the batches that its inputs hold.
        policy: What a plan must hold; None is the gate's own.
        health_tables: Publication -> core tables on people's health that it is built from; none
            where it is not named.
        core: The core rows behind the publications; None where there are no rules on them.

    Returns:
        One judgement for each publication. Without a candidate every check of engine contract
        and gx is missing and everything is rejected.
    """
    dbt = dbt_results.read(built.run_results, built.manifest, publications)
    # Great Expectations works in processes of its own; meanwhile the other engines do here.
    with ThreadPoolExecutor(max_workers=1) as waiting:
        asked = waiting.submit(_all_gx_results, paths, built, publications, contracts, core)
        found = [*dbt.results, *(core_checks.run(core) if core else [])]
        plans: list[list[PlannedCheck]] = []
        for publication in publications:
            plan = contract_checks.planned(publication, contracts)
            scope = contract_checks.Scope(
                "candidate",
                "previous" if current(paths, publication.name) else None,
                built.as_of,
                data_as_of[publication.name],
                (health_tables or {}).get(publication.name, ()),
            )
            found += _contract_results(paths, built, publication, contracts, scope, plan)
            plan += gx_checks.planned(publication, contracts)
            if core:
                plan += core_checks.planned(publication.name, core)
                plan += gx_core.planned(publication.name, core)
            plan += [each for each in dbt.planned if each.publication == publication.name]
            plans.append(plan)
        found += asked.result()
    checked = []
    for publication, plan in zip(publications, plans, strict=True):
        results = tuple(each for each in found if each.publication == publication.name)
        checked.append(Checked(publication, judge(results, plan, policy or GatePolicy()), results))
    return checked


def _contract_results(
    paths: CityPaths,
    built: Built,
    publication: Publication,
    contracts: Mapping[str, TableContract],
    scope: contract_checks.Scope,
    plan: Sequence[PlannedCheck],
) -> list[CheckResult]:
    """Results of the contract checks; none where a file cannot be opened, which rejects."""
    shown = current(paths, publication.name)
    try:
        with scratch_session(paths.work) as connection:
            attach(connection, built.candidate, "candidate")
            if shown is not None:
                attach(connection, shown.mart_file, "previous")
            return contract_checks.run(connection, publication, contracts, scope)
    except duckdb.Error as error:
        return [
            CheckResult(
                each.publication,
                each.check,
                each.engine,
                each.severity,
                CheckStatus.MISSING,
                message=type(error).__name__,
            )
            for each in plan
        ]


def _all_gx_results(
    paths: CityPaths,
    built: Built,
    publications: Sequence[Publication],
    contracts: Mapping[str, TableContract],
    core: core_checks.CoreScope | None,
) -> list[CheckResult]:
    with ThreadPoolExecutor(GX_AT_ONCE) as pool:
        in_core = pool.submit(gx_core.run, core, paths.work) if core else None
        in_marts = pool.map(lambda each: _gx_results(paths, built, each, contracts), publications)
        found = list(chain.from_iterable(in_marts))
        return [*in_core.result(), *found] if in_core else found


def _gx_results(
    paths: CityPaths,
    built: Built,
    publication: Publication,
    contracts: Mapping[str, TableContract],
) -> list[CheckResult]:
    """Results of the suite; none where the promoted file cannot be read, which rejects."""
    try:
        before = _promoted_rows(paths, publication)
    except duckdb.Error:
        return []
    return gx_checks.run(publication, contracts, built.candidate, before, paths.work)


def _promoted_rows(paths: CityPaths, publication: Publication) -> dict[str, int]:
    """Mart -> how many rows of it were promoted last, where that counts; without new marts."""
    shown = current(paths, publication.name)
    if shown is None or publication.policy.max_row_count_change is None:
        return {}
    with scratch_session(paths.work) as connection:
        attach(connection, shown.mart_file, "previous")
        return {
            mart: row_count(
                connection, "previous", [part for part in publication.parts if part.mart == mart]
            )
            for mart in publication.marts
            if columns_of(connection, "previous", mart)
        }
