"""The statistics office: an SDMX REST service with what it publishes of the city."""
