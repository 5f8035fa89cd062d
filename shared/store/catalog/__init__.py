"""What customers and operators set up: organizations, keys, configurations, campaigns, do-not-call lists."""
