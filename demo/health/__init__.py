"""The health system: FHIR R4 encounters by bulk export."""
