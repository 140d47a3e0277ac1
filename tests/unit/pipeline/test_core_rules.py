"""A rule of a source contract that holds a publication back, by the real command."""

import json

from tests.e2e.small_town import FIRST, Town, cases, register

RULE = """\
        quality:
          - name: known_kind
            description: Loại phản ánh đã biết | The kind of request is known
            type: custom
            engine: citylake
            implementation: service_code <> 'rác'
            dimension: accuracy
            severity: hold
            customProperties:
              - {property: scope, value: row}
"""


def test_a_rule_of_severity_hold_holds(town: Town) -> None:
    town.file.write_bytes(register(cases()))
    path = town.folder / "sources/feedback/register.yaml"
    text = path.read_text(encoding="utf-8")
    place = "        transformLogic: KIND\n"
    assert place in text
    path.write_text(text.replace(place, place + RULE, 1), encoding="utf-8")
    done = town.call("run", "--date", FIRST.isoformat())
    assert done.returncode == 3, done.stdout + done.stderr
    (file,) = (town.root / "journal" / "checks").glob("*.json")
    (checks,) = json.loads(file.read_text(encoding="utf-8"))["checks"].values()
    name = "core.service_request.service_code:known_kind@feedback.register"
    (found,) = [each for each in checks if each["check"] == name]
    assert (found["status"], found["failing"]) == ("failed", 10)
    assert not (town.root / "releases").exists() or not list(
        (town.root / "releases").rglob("latest.json")
    )
