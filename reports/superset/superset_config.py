"""Settings of Superset, read by Superset itself in its own environment (docs/adr/0038).

Nothing of this repository can be imported there. What differs from place to place comes from the
environment, as `pipeline.superset` tells it: the folder of the metadata database, and the file that
holds the key by which sessions are signed.
"""

import json
import os
from codecs import BOM_UTF8
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from superset.config import THEME_DEFAULT as USUAL_THEME

_HERE = Path(__file__).resolve().parent
_HOME = Path(os.environ["CITYLAKE_SUPERSET_HOME"])

SECRET_KEY = Path(os.environ["CITYLAKE_SUPERSET_KEY_FILE"]).read_text(encoding="ascii").strip()
GUEST_TOKEN_JWT_SECRET = SECRET_KEY
SQLALCHEMY_DATABASE_URI = f"sqlite:///{_HOME / 'superset.db'}?timeout=60"
DATA_DIR = str(_HOME)

WTF_CSRF_ENABLED = True
# Against guessing passwords. All else is bounded by what one worker answers: an office's readers
# share an address, and a dashboard asks for all of its charts at once; the default is 50 a second.
RATELIMIT_ENABLED = True
RATELIMIT_APPLICATION = "500 per second"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Where a proxy speaks TLS in front of it.
SESSION_COOKIE_SECURE = os.environ.get("CITYLAKE_SUPERSET_TLS") == "1"
ENABLE_PROXY_FIX = SESSION_COOKIE_SECURE
PUBLIC_ROLE_LIKE = None
AUTH_USER_REGISTRATION = False

FEATURE_FLAGS = {
    # Dashboards are given to roles one by one; what is not given is not seen.
    "DASHBOARD_RBAC": True,
    "DRILL_TO_DETAIL": True,
    "DRILL_BY": False,
    # A condition on rows is plain SQL and never a template.
    "ENABLE_TEMPLATE_PROCESSING": False,
    # Below the fold, too: a page that is printed or drawn is whole.
    "DASHBOARD_VIRTUALIZATION": False,
    "EMBEDDABLE_CHARTS": False,
}

# Cards and tables of figures are HTML of our own making; nothing that runs is let through.
HTML_SANITIZATION = True
HTML_SANITIZATION_SCHEMA_EXTENSIONS = {"attributes": {"*": ["style", "className"]}}

# No request leaves the building.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "frame-ancestors": ["'none'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        # Cards are templates that the browser compiles (Handlebars); scripts still need the nonce.
        "script-src": ["'self'", "'strict-dynamic'", "'unsafe-eval'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": SESSION_COOKIE_SECURE,
}

LANGUAGES = {
    "vi": {"flag": "vn", "name": "Tiếng Việt"},
    "en": {"flag": "gb", "name": "English"},
}
BABEL_DEFAULT_LOCALE = "vi"
# Superset ships no Vietnamese and would read it from its own folder; what readers see of it is said
# here, and answered in its place.
_VIETNAMESE = json.dumps(
    {
        "domain": "superset",
        "locale_data": {
            "superset": {
                "": {"domain": "superset", "lang": "vi", "plural_forms": "nplurals=1; plural=0"},
                **json.loads((_HERE / "messages_vi.json").read_text(encoding="utf-8")),
            }
        },
    },
    ensure_ascii=False,
)


# In it what Superset leaves to others of its page's head: without its width, a phone shows the page
# of a wide screen, made small.
_TEMPLATES = _HERE / "templates"


def _with_mark(response: Any) -> Any:
    """A CSV with the mark by which Excel knows that it is Unicode; Superset means to set it."""
    if response.mimetype == "text/csv" and not response.is_streamed:
        content = response.get_data()
        if not content.startswith(BOM_UTF8):
            response.set_data(BOM_UTF8 + content)
    return response


def _of_our_own(app: Any) -> None:
    """Vietnamese, in place of Superset's own less particular address, and pages for phones."""
    app.after_request(_with_mark)
    answer = _VIETNAMESE, {"Content-Type": "application/json"}
    app.add_url_rule("/superset/language_pack/vi/", "vietnamese", lambda: answer)
    app.jinja_loader.searchpath.insert(0, str(_TEMPLATES))


FLASK_APP_MUTATOR = _of_our_own


def _beside(name: str) -> Any:
    """A module of this folder, which is on no path of Superset's."""
    found = spec_from_file_location(name, _HERE / f"{name}.py")
    if found is None or found.loader is None:
        raise ImportError(name)
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


_WALLS = _beside("superset_walls")
CUSTOM_SECURITY_MANAGER = _WALLS.SecurityManager
SQL_QUERY_MUTATOR = _WALLS.reads_one_view
EXTRA_RELATED_QUERY_FILTERS = {"user": _WALLS.own_name}

_NUMBERS = {
    "vi": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", " ₫"]},
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", " ₫"]},
}


def _number_form(common: dict[str, Any]) -> dict[str, Any]:
    return {"d3_format": _NUMBERS.get(common.get("locale", "vi"), _NUMBERS["vi"])}


COMMON_BOOTSTRAP_OVERRIDES_FUNC = _number_form

APP_NAME = "citylake"
# Assigning a theme replaces all of the usual one: it is taken along.
THEME_DEFAULT = {
    **USUAL_THEME,
    "token": {
        **USUAL_THEME["token"],
        "brandAppName": APP_NAME,
        "colorPrimary": "#0b5cad",
        "colorLink": "#0b5cad",
        "colorSuccess": "#1a7f37",
        "colorWarning": "#b26a00",
        "colorError": "#b3261e",
        "fontFamily": "'Noto Sans', 'DejaVu Sans', Inter, Helvetica, Arial, sans-serif",
    },
}
THEME_DARK = None
ENABLE_UI_THEME_ADMINISTRATION = False

# The serving file is replaced at once by each run: an answer that is kept would be an old one.
CACHE_DEFAULT_TIMEOUT = 0
ROW_LIMIT = 10_000
SAMPLES_ROW_LIMIT = 1_000
SUPERSET_WEBSERVER_TIMEOUT = 60
