"""Airflow beside the lake: what it is told, who may use it, and how it is started and ended.

Nothing here imports Airflow: it has an environment of its own and runs as processes of its own.
"""
