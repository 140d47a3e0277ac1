"""The DAGs of a city, made from its contracts: wiring of `pipeline.steps`, and nothing else."""
