"""Run by the environment of sdmx1: what that client understands of a server, as JSON.

Arguments: address of the service for SDMX 2.1, token.
"""

import json
import sys

import sdmx  # type: ignore[import-not-found]

address, token = sys.argv[1:]
sdmx.add_source({"id": "DEMO", "name": "Demo", "url": address})
client = sdmx.Client("DEMO")
client.session.headers["Authorization"] = f"Bearer {token}"

message = client.get(
    "datastructure", "SOCIO_ECONOMIC", agency_id="DNSO", params={"references": "children"}
)
structure = message.structure["SOCIO_ECONOMIC"]
found = {
    "dimensions": [each.id for each in structure.dimensions],
    "attributes": [each.id for each in structure.attributes],
    "name": message.codelist["CL_INDICATOR"]["UNE"].name.localizations["vi"],
    "flows": list(client.get("dataflow", "SOCIO_ECONOMIC", agency_id="DNSO").dataflow),
}
for name in ("structurespecificdata", "genericdata"):
    accepted = {"Accept": f"application/vnd.sdmx.{name}+xml;version=2.1"}
    answer = client.get("data", "SOCIO_ECONOMIC", key="M..UNE._T.", headers=accepted, dsd=structure)
    found[name] = [
        [str(each.key[part].value) for part in ("REF_AREA", "TIME_PERIOD")] + [str(each.value)]
        for each in answer.data[0].obs
    ]
sys.stdout.write(json.dumps(found))
