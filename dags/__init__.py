"""The DAGs of a city, made from its contracts: wiring of `pipeline.steps`, and nothing else.

Airflow reads `city.py` alone (`.airflowignore`). Whatever is heavy is imported by a task, when it
runs.
"""
