"""`/admin`: the operator makes organizations and keys, and looks after the installation."""
