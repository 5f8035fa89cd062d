"""Documents as a release writes them, kept as JSON under tests/data, so that the next release is tested on them."""
