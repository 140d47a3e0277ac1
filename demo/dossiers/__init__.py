"""The one-stop shop of public administrative services: dossiers in PostgreSQL."""
