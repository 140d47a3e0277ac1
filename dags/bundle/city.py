"""The file that Airflow reads: every DAG of the city that `CITYLAKE_CITY` names."""

from dags.factory import city_dags

globals().update({dag.dag_id: dag for dag in city_dags()})
