"""What OpenLineage is told of our assets; Airflow's provider asks, where lineage is switched on.

The figures are those of the assets' events: what `transform` reads and what lineage says is one.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import attr
from airflow.providers.openlineage.extractors.base import BaseExtractor, OperatorLineage
from airflow.sdk import Asset
from openlineage.client.event_v2 import Dataset, InputDataset, OutputDataset
from openlineage.client.facet_v2 import DatasetFacet

SCHEME = "citylake://"
Extra = Mapping[str, Any]


@attr.define
class BatchFacet(DatasetFacet):
    """A batch as it lies in its core table."""

    day: str
    deltaVersion: int  # noqa: N815 - names of facets are written so
    streamSequence: int  # noqa: N815 - as above
    records: int
    quarantined: int
    _additional_skip_redact: ClassVar[list[str]] = ["day"]

    @staticmethod
    def _get_schema() -> str:
        return f"{SCHEME}facets/batch/1"


@attr.define
class VerdictFacet(DatasetFacet):
    """What the gate said of a publication's candidate."""

    day: str
    record: int
    verdict: str
    candidate: str | None
    version: str | None
    _additional_skip_redact: ClassVar[list[str]] = ["day", "verdict", "candidate", "version"]

    @staticmethod
    def _get_schema() -> str:
        return f"{SCHEME}facets/verdict/1"


class StepLineage(BaseExtractor):
    """Reads the assets of a task: what started the run, and what the task publishes."""

    @classmethod
    def get_operator_classnames(cls) -> list[str]:
        """The operators of our tasks."""
        return ["_PythonDecoratedOperator"]

    def _execute_extraction(self) -> OperatorLineage[Any, Any]:
        return OperatorLineage(outputs=[_dataset(OutputDataset, each, {}) for each in self._ours()])

    def extract_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        """Inputs are the events that started the run, outputs the events of this task."""
        context = task_instance.get_template_context()
        events = context["outlet_events"]
        outputs = [_dataset(OutputDataset, each, events[each].extra or {}) for each in self._ours()]
        return OperatorLineage(inputs=_inputs(context) if outputs else [], outputs=outputs)

    def extract_on_failure(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        """A task that failed has published nothing."""
        return OperatorLineage()

    def _ours(self) -> Iterable[Asset]:
        return [each for each in self.operator.outlets if isinstance(each, Asset)]


def _inputs(context: Any) -> list[Any]:
    found: dict[str, Any] = {}
    for asset, events in (context.get("triggering_asset_events") or {}).items():
        for event in events:
            found[asset.uri] = _dataset(InputDataset, asset, event.extra or {})
    return list(found.values())


def _dataset(kind: type[Dataset], asset: Any, extra: Extra) -> Any:
    """An asset as OpenLineage names it: the city is the namespace."""
    city, _, name = asset.uri.removeprefix(SCHEME).partition("/")
    return kind(namespace=f"{SCHEME}{city}", name=name, facets=_facets(extra))


def _facets(extra: Extra) -> dict[str, DatasetFacet]:
    if "sequence" in extra:
        batch = BatchFacet(
            day=extra["day"],
            deltaVersion=extra["version"],
            streamSequence=extra["sequence"],
            records=extra["records"],
            quarantined=extra["quarantined"],
        )
        return {"citylake_batch": batch}
    if "verdict" in extra:
        names = ("day", "record", "verdict", "candidate", "version")
        return {"citylake_verdict": VerdictFacet(**{name: extra[name] for name in names})}
    return {}
