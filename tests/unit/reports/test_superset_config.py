"""The settings of Superset, read as it reads them, with what they import of it stood in for."""

import json
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from tests.headlines import REPOSITORY

FILE = REPOSITORY / "reports" / "superset" / "superset_config.py"
KEY = "k" * 42
# Of another environment; nothing that is asked here is theirs.
ABSENT = ("flask", "sqlglot", "superset.errors", "superset.exceptions")
Read = Callable[[], ModuleType]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    (tmp_path / "key").write_text(f"{KEY}\n", encoding="ascii")
    monkeypatch.setenv("CITYLAKE_SUPERSET_HOME", str(tmp_path))
    monkeypatch.setenv("CITYLAKE_SUPERSET_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.delenv("CITYLAKE_SUPERSET_TLS", raising=False)
    usual = {"algorithm": "default", "token": {"brandLogoAlt": "usual", "colorPrimary": "usual"}}
    for name, content in (
        *((each, MagicMock()) for each in ABSENT),
        ("superset", MagicMock()),
        ("superset.config", SimpleNamespace(THEME_DEFAULT=usual)),
        ("superset.security", SimpleNamespace(SupersetSecurityManager=object)),
    ):
        monkeypatch.setitem(sys.modules, name, content)

    def load() -> ModuleType:
        found = spec_from_file_location("superset_config", FILE)
        assert found is not None
        assert found.loader is not None
        module = module_from_spec(found)
        found.loader.exec_module(module)
        return module

    return load


def test_vietnamese_words_are_answered_where_superset_asks_for_them(read: Read) -> None:
    app = MagicMock()
    read().FLASK_APP_MUTATOR(app)
    ((address, _, answer), _) = app.add_url_rule.call_args
    assert address == "/superset/language_pack/vi/"
    text, headers = answer()
    assert headers == {"Content-Type": "application/json"}
    pack: dict[str, Any] = json.loads(text)
    messages = pack["locale_data"][pack["domain"]]
    assert messages.pop("") == {
        "domain": "superset",
        "lang": "vi",
        "plural_forms": "nplurals=1; plural=0",
    }
    assert messages["Dashboards"] == ["Bảng điều hành"]
    assert messages["Logout"] == ["Đăng xuất"]
    assert len(messages) > 50
    wrong = {key: each for key, each in messages.items() if not each or not all(each)}
    assert wrong == {}


@pytest.mark.parametrize(
    ("common", "decimal", "thousands"),
    [
        pytest.param({"locale": "vi"}, ",", ".", id="vi"),
        pytest.param({"locale": "en"}, ".", ",", id="en"),
        pytest.param({"locale": "fr"}, ",", ".", id="another"),
        pytest.param({}, ",", ".", id="none"),
    ],
)
def test_numbers_have_the_form_of_the_language(
    read: Read, common: dict[str, str], decimal: str, thousands: str
) -> None:
    form = read().COMMON_BOOTSTRAP_OVERRIDES_FUNC(common)["d3_format"]
    assert (form["decimal"], form["thousands"]) == (decimal, thousands)
    # What d3.formatLocale needs of a locale.
    assert form["grouping"] == [3]
    assert len(form["currency"]) == 2


def test_vietnamese_comes_first_and_english_is_there(read: Read) -> None:
    settings = read()
    assert list(settings.LANGUAGES) == ["vi", "en"]
    assert settings.BABEL_DEFAULT_LOCALE == "vi"


def test_nothing_is_asked_of_another_server(read: Read) -> None:
    policy = read().TALISMAN_CONFIG["content_security_policy"]
    for what, sources in policy.items():
        allowed = [sources] if isinstance(sources, str) else sources
        beyond = [each for each in allowed if not each.startswith("'")]
        assert set(beyond) <= {"blob:", "data:"}, what


def test_the_usual_theme_is_taken_along(read: Read) -> None:
    theme = read().THEME_DEFAULT
    assert theme["algorithm"] == "default"
    assert theme["token"]["brandLogoAlt"] == "usual"
    assert theme["token"]["colorPrimary"] == "#0b5cad"


def test_sessions_are_signed_by_the_key_of_the_place_and_kept_to_tls_behind_a_proxy(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = read()
    assert plain.SECRET_KEY == KEY
    assert plain.SQLALCHEMY_DATABASE_URI.startswith(f"sqlite:///{tmp_path}/superset.db")
    assert (plain.SESSION_COOKIE_SECURE, plain.ENABLE_PROXY_FIX) == (False, False)
    monkeypatch.setenv("CITYLAKE_SUPERSET_TLS", "1")
    behind = read()
    assert (behind.SESSION_COOKIE_SECURE, behind.ENABLE_PROXY_FIX) == (True, True)
    assert behind.TALISMAN_CONFIG["session_cookie_secure"]


def test_what_a_reader_may_ask_is_walled(read: Read) -> None:
    settings = read()
    assert settings.CUSTOM_SECURITY_MANAGER.__name__ == "SecurityManager"
    assert settings.SQL_QUERY_MUTATOR.__name__ == "reads_one_view"
    assert settings.HTML_SANITIZATION
    flags = settings.FEATURE_FLAGS
    assert flags["DASHBOARD_RBAC"]
    assert not flags["ENABLE_TEMPLATE_PROCESSING"]
    assert not flags["EMBEDDABLE_CHARTS"]
