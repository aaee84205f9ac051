"""Many documents: order, resume, ledger, files that survive."""
