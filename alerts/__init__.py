"""Early warnings: rules, levels, owners and deadlines."""
