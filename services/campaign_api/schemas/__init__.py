"""Bodies of requests and answers, one module for each noun; kept apart from what is stored."""
