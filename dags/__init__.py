"""The DAGs of a city, made from its contracts: wiring of `pipeline.steps`, and nothing else.

Airflow is given the folder `bundle` alone. It puts that folder on the path of every task: a module
in it would hide a package of the same name. Whatever is heavy is imported by a task, when it runs.
"""
