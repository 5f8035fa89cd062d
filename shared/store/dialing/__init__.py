"""The steps of the dialing protocol, each one transaction or one look, and what they read and write."""
