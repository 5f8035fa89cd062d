"""What all dialects share of HTTP; it knows none of them."""
