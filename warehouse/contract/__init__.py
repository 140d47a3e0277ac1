"""Contracts: documents, model, merge and compiler."""
