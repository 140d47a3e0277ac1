"""The documents of the feedback system other than its requests."""

import json
from datetime import date

from demo.feedback.services import SERVICES

INDEX = """<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><title>Thành phố mẫu</title></head><body>
<h1>Hệ thống phản ánh của thành phố mẫu</h1>
<p>Mọi dữ liệu ở đây là dữ liệu tổng hợp, do máy sinh ra để thử nghiệm. Không có người,
số điện thoại hay phản ánh nào là thật.</p>
<h1 lang="en">Feedback system of the demo city</h1>
<p lang="en">All data here is synthetic, made by a program for testing. No person, telephone
number or report in it is real.</p>
<p><code>/as-of/YYYY-MM-DD/georeport/v2/requests.json</code></p>
</body></html>
"""
MAINTENANCE = "<!doctype html><html><body><h1>Hệ thống đang bảo trì</h1></body></html>\n"


def services() -> str:
    """The GeoReport list of services."""
    listed = [
        {
            "service_code": service.code,
            "service_name": service.name,
            "description": service.name_en,
            "metadata": False,
            "type": "realtime",
            "keywords": service.code,
            "group": service.agency,
        }
        for service in SERVICES
    ]
    return json.dumps(listed, ensure_ascii=False, indent=1) + "\n"


def discovery(server: str, as_of: date) -> str:
    """The GeoReport discovery document of a server as of a day."""
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": f"{server}/as-of/{as_of}/georeport/v2",
        "changeset": f"{as_of}T24:00:00+07:00",
        "type": "test",
        "formats": ["application/json"],
    }
    document = {
        "changeset": endpoint["changeset"],
        "contact": "Dữ liệu tổng hợp / Synthetic data",
        "key_service": "Authorization: Bearer",
        "endpoints": [endpoint],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
