"""Makes a Superset ready to start: its metadata database, roles and administrator.

Run by the Python of Superset's own environment (`pipeline.superset.server`), in one process: the
three commands that Superset has for this take twice as long. Can be run again after it was ended
at any instant.
"""

import json
import os
from pathlib import Path

ADMINISTRATOR = "admin"


def main() -> None:
    """Bring the database up to date, write roles, and give users the passwords of the file."""
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        from flask_migrate import upgrade
        from superset.extensions import appbuilder, db, security_manager

        upgrade()
        # Before the roles are synchronised, or they get permissions that are not there yet.
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        known = json.loads(Path(os.environ["CITYLAKE_SUPERSET_PASSWORDS_FILE"]).read_text())
        if security_manager.find_user(ADMINISTRATOR) is None:
            role = security_manager.find_role("Admin")
            email = f"{ADMINISTRATOR}@citylake.invalid"
            security_manager.add_user(
                ADMINISTRATOR, "Quản trị", "citylake", email, role, password=known[ADMINISTRATOR]
            )
        for name, password in known.items():
            user = security_manager.find_user(name)
            if user is not None:
                security_manager.reset_password(user.id, password)
        db.session.commit()


if __name__ == "__main__":
    main()
