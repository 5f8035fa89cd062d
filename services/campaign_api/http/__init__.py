"""What all APIs share of HTTP; knows none of them."""
