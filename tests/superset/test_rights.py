"""Each role sees its own in every answer of the API and in every export, and nothing else."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reports.superset.errors import ReportsError
from tests.superset.may_see import (
    AUDITED,
    BOARDS,
    CITY_VIEW,
    CITY_VIEWS,
    DISTRICT_VIEW,
    MAY_SEE,
    OF_HEALTH,
    PUBLICATIONS,
    Figure,
    day,
    own_figures,
)
from tests.superset.stage import INDICATORS, PYTHON, REPOSITORY, Row, Stage
from warehouse.duck import read_only

OPEN_DATASETS = {
    "dossier-district-monthly",
    "service-request-monthly",
    "socio-economic-indicators",
}


def _sql(text: str) -> Row:
    return {"expressionType": "SQL", "label": "m", "sqlExpression": text}


def _seen(stage: Stage, role: str, view: str) -> set[Figure]:
    columns = ("indicator_code", "area_code", "area_valid_from")
    return {
        (row["indicator_code"], row["area_code"], day(row["area_valid_from"]))
        for row in stage.rows(role, view, *columns)
    }


@pytest.mark.parametrize("role", MAY_SEE)
@pytest.mark.parametrize("view", sorted(CITY_VIEWS))
def test_the_api_answers_with_the_own_rows_alone(stage: Stage, role: str, view: str) -> None:
    views, _ = MAY_SEE[role]
    if view not in views:
        with pytest.raises(ReportsError, match="403"):
            stage.rows(role, view, "indicator_code")
        return
    expected = own_figures(role, view)
    assert expected
    assert _seen(stage, role, view) == expected


@pytest.mark.parametrize("role", MAY_SEE)
def test_verdicts_are_for_auditors_and_the_city_and_of_open_datasets_for_all(
    stage: Stage, role: str
) -> None:
    if PUBLICATIONS in MAY_SEE[role][0]:
        seen = {row["publication"] for row in stage.rows(role, PUBLICATIONS, "publication")}
        assert seen == OPEN_DATASETS if role == "cong_khai" else seen > OPEN_DATASETS
    else:
        with pytest.raises(ReportsError, match="403"):
            stage.rows(role, PUBLICATIONS, "publication")


@pytest.mark.parametrize("role", MAY_SEE)
def test_how_data_came_and_was_checked_is_for_auditors_alone(stage: Stage, role: str) -> None:
    for view, column in zip(AUDITED, ("source", "source", "publication"), strict=True):
        if role == "kiem_toan":
            stage.rows(role, view, column)
        else:
            with pytest.raises(ReportsError, match="403"):
                stage.rows(role, view, column)


@pytest.mark.parametrize("role", MAY_SEE)
def test_what_needs_attention_is_about_the_own_rows(stage: Stage, role: str) -> None:
    rows = stage.rows(role, "report_attention", "indicator_code", "area_code", "area_valid_from")
    found = {(row["indicator_code"], row["area_code"], day(row["area_valid_from"])) for row in rows}
    assert found
    allowed = own_figures(role, DISTRICT_VIEW) | own_figures(role, CITY_VIEW)
    assert found <= allowed


@pytest.mark.parametrize("role", MAY_SEE)
def test_an_export_holds_the_own_rows_alone(stage: Stage, role: str) -> None:
    names = {
        "FB1": "Feedback handled on time",
        "FB5": "Overdue requests not yet handled",
        "AD1": "Dossiers settled on time",
    }
    chart = stage.charts()["danang/district-detail-en"]
    rows = stage.exported(role, chart)
    assert rows
    city = stage.rows("admin", DISTRICT_VIEW, "indicator_code", "indicator_name_en", "area_code")
    code_of = {row["indicator_name_en"]: row["indicator_code"] for row in city}
    assert names["FB1"] in code_of
    areas = {
        row["area_name_en"]: row["area_code"]
        for row in stage.rows("admin", DISTRICT_VIEW, "area_name_en", "area_code")
    }
    name_column = next(n for n in rows[0] if n in ("indicator_name_en", "Indicator"))
    area_column = next(n for n in rows[0] if n in ("area_name_en", "Area"))
    found = {(code_of[row[name_column]], areas[row[area_column]]) for row in rows}
    expected = {(code, area) for code, area, _ in own_figures(role, DISTRICT_VIEW)}
    assert found == expected


@pytest.mark.parametrize("role", MAY_SEE)
def test_the_values_to_filter_by_are_the_own_ones(stage: Stage, role: str) -> None:
    found = {row["area_code"] for row in stage.rows(role, DISTRICT_VIEW, "area_code")}
    assert found == {area for _, area, _ in own_figures(role, DISTRICT_VIEW)}


def test_each_role_is_listed_its_own_dashboards(stage: Stage) -> None:
    def listed(role: str) -> set[str]:
        found = stage.client(role).all("dashboard")
        return {
            str(each["slug"]).removeprefix("danang-").removesuffix("-vi")
            for each in found
            if str(each["slug"]).endswith("-vi")
        }

    assert {role: listed(role) for role in MAY_SEE} == BOARDS


@pytest.mark.parametrize("role", MAY_SEE)
def test_nobody_but_the_administrator_writes_or_runs_sql(stage: Stage, role: str) -> None:
    client = stage.client(role)
    chart = next(iter(stage.charts().values()))
    sql = {"database_id": 1, "sql": "SELECT 1", "client_id": "abc"}
    for method, path, sent in (
        ("PUT", f"/api/v1/chart/{chart}", {"slice_name": "x"}),
        ("POST", "/api/v1/sqllab/execute/", sql),
        ("GET", "/api/v1/assets/export/", None),
        ("GET", "/api/v1/security/users/", None),
        ("GET", "/api/v1/rowlevelsecurity/", None),
    ):
        with pytest.raises(ReportsError, match="40[134]|page"):
            client.ask(method, path, json=sent)


FOREIGN = "area_code FROM main.report_district_indicator WHERE area_code = '491' UNION ALL SELECT "
WAYS_IN: dict[str, Row] = {
    "metric": {"columns": [], "metrics": [_sql(f"max({FOREIGN}'x'")]},
    "union": {"columns": [], "metrics": [_sql(f"{FOREIGN}'own'")]},
    "except": {"columns": [], "metrics": [_sql(FOREIGN.replace("UNION ALL", "EXCEPT") + "'own'")]},
    "count": {"columns": [], "metrics": [_sql(f"COUNT(*), {FOREIGN}'own'")]},
    "column": {"columns": [_sql(f"{FOREIGN}'own'")], "metrics": []},
    "setting": {"columns": [_sql("current_setting('temp_directory')")], "metrics": []},
    "filter": {
        "columns": ["area_code"],
        "filters": [{"col": _sql(f"{FOREIGN}'own'"), "op": "==", "val": "own"}],
    },
    "order": {
        "columns": ["area_code"],
        "metrics": ["row_number"],
        "orderby": [[_sql(f"{FOREIGN}'own'"), True]],
    },
    "where": {"columns": ["area_code"], "extras": {"where": "1 = 1 OR area_code = '491'"}},
    "having": {"columns": ["area_code"], "extras": {"having": "count(*) > 0"}},
}


@pytest.mark.parametrize("role", ["lanh_dao_phuong_hai_chau", "cong_khai", "kiem_toan"])
@pytest.mark.parametrize("way", WAYS_IN)
def test_nobody_but_the_administrator_asks_in_sql(stage: Stage, role: str, way: str) -> None:
    for form in ("json", "csv"):
        with pytest.raises(ReportsError, match="403.*columns and metrics by their names"):
            stage.asked(role, DISTRICT_VIEW, WAYS_IN[way], result_format=form)


def test_what_is_refused_to_others_would_be_answered(stage: Stage) -> None:
    answer = stage.asked("admin", DISTRICT_VIEW, WAYS_IN["union"])
    assert {"area_code": "491"} in [
        {"area_code": value} for row in answer["result"][0]["data"] for value in row.values()
    ]


def test_the_text_of_a_question_is_told_to_nobody_else(stage: Stage) -> None:
    question = {"columns": ["area_code"]}
    with pytest.raises(ReportsError, match="403"):
        stage.asked("lanh_dao_phuong_hai_chau", DISTRICT_VIEW, question, result_type="query")


def test_the_old_way_to_ask_is_shut(stage: Stage) -> None:
    form = {"datasource": f"{stage.dataset(DISTRICT_VIEW)}__table", "viz_type": "world_map",
            "entity": "area_code", "metric": _sql(f"{FOREIGN}'own'")}  # fmt: skip
    sent = {"form_data": json.dumps(form)}
    answers = {
        user: stage.browser(user).post("/superset/explore_json/", data=sent)
        for user in ("admin", "lanh_dao_phuong_hai_chau")
    }
    assert answers["lanh_dao_phuong_hai_chau"].status_code in (401, 403)
    assert answers["admin"].status_code not in (401, 403)


STATEMENTS = {
    "SELECT area_code, count(*) FROM main.report_district_indicator WHERE (1 = 0) GROUP BY 1": True,
    "SELECT count(*) FROM (SELECT area_code FROM main.report_check LIMIT 5) AS counted": True,
    "SELECT area_code FROM main.report_check UNION ALL SELECT area_code FROM report_check": False,
    "SELECT code FROM main.withheld_indicator": False,
    "SELECT n FROM main.report_check, main.report_source": False,
    "SELECT n FROM main.report_check WHERE n IN (SELECT n FROM mart_city_indicator)": False,
    "SELECT content FROM read_text('/etc/passwd')": False,
    "SELECT * FROM query('SELECT 42')": False,
    "SELECT * FROM 'report_check.parquet'": False,
    "SELECT current_setting('temp_directory')": False,
    "WITH a AS (SELECT 1) SELECT n FROM report_check": False,
    "SELECT n FROM report_check; SELECT n FROM report_check": False,
    "COPY report_check TO '/tmp/x'": False,
}


def test_a_statement_that_reads_more_than_one_view_isseen(stage: Stage) -> None:
    program = (
        "import json, sys; sys.path.insert(0, 'reports/superset'); import superset_walls as w; "
        "print(json.dumps([w.is_one_view(each) for each in json.load(sys.stdin)]))"
    )
    done = subprocess.run(  # noqa: S603 - own program
        [PYTHON, "-c", program],
        input=json.dumps([*STATEMENTS]),
        cwd=REPOSITORY,
        env={**os.environ, "SUPERSET_SECRET_KEY": "of-no-server" * 4},
        capture_output=True,
        text=True,
        check=True,
    )
    found = dict(zip(STATEMENTS, json.loads(done.stdout.splitlines()[-1]), strict=True))
    assert found == STATEMENTS


@pytest.mark.parametrize("resource", ["chart", "dashboard", "dataset"])
def test_a_reader_is_not_told_who_else_there_is(stage: Stage, resource: str) -> None:
    def told(user: str) -> str:
        return json.dumps(stage.client(user).ask("GET", f"/api/v1/{resource}/related/owners"))

    assert "kiem_toan" in told("admin")
    assert "kiem_toan" not in told("lanh_dao_phuong_hai_chau")


@contextmanager
def _without_rules(stage: Stage, *parts: str) -> Iterator[None]:
    """The rules whose names hold one of some texts are away; afterwards everything is as before."""
    admin = stage.client("admin")
    gone = [
        each
        for each in admin.all("rowlevelsecurity")
        if any(part in each["name"] for part in parts)
    ]
    assert len(gone) >= len(parts)
    for each in gone:
        admin.ask("DELETE", f"/api/v1/rowlevelsecurity/{each['id']}")
    try:
        yield
    finally:
        stage.citylake("reports", "apply", "--city", "danang")


def test_a_lost_rule_shows_nothing_and_is_noticed(stage: Stage) -> None:
    role = "lanh_dao_phuong_hai_chau"
    with _without_rules(stage, role):
        seen = _seen(stage, role, DISTRICT_VIEW)
        assert seen != own_figures(role, DISTRICT_VIEW)
        assert seen == set()
    assert _seen(stage, role, DISTRICT_VIEW) == own_figures(role, DISTRICT_VIEW)


def test_these_tests_see_rows_that_are_not_the_own(stage: Stage) -> None:
    role = "lanh_dao_phuong_hai_chau"
    with _without_rules(stage, role, "base"):
        assert _seen(stage, role, DISTRICT_VIEW) > own_figures(role, DISTRICT_VIEW)


def test_the_data_of_health_is_nowhere(stage: Stage) -> None:
    codes = {row["indicator_code"] for row in stage.rows("admin", CITY_VIEW, "indicator_code")}
    assert codes == {code for code, *_ in INDICATORS}
    assert not any(
        each["table_name"].startswith(("mart_", "withheld"))
        for each in stage.client("admin").all("dataset")
    )


def test_a_figure_of_health_that_got_into_a_mart_is_shown_to_nobody(stage: Stage) -> None:
    admin = stage.client("admin")
    with read_only(stage.serving) as serving:
        for mart in ("city", "district", "sector"):
            asked = f"SELECT \"value\" FROM mart_{mart}_indicator WHERE indicator_code = 'HE1'"  # noqa: S608 - own names
            assert {float(value) for (value,) in serving.execute(asked).fetchall()} == {87654}
    for dataset in admin.all("dataset"):
        told = admin.ask("GET", f"/api/v1/dataset/{dataset['id']}")["result"]
        columns = [each["column_name"] for each in told["columns"]]
        rows = json.dumps(stage.rows("admin", dataset["table_name"], *columns), ensure_ascii=False)
        assert [form for form in OF_HEALTH if form in rows] == [], dataset["table_name"]
