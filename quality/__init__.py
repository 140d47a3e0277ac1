"""One result type, the checks, the gate and the ledger."""
