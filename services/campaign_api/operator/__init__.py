"""`/admin`: the operator makes organizations and keys."""
