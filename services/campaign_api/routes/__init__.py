"""HTTP routes, one module for each noun; a handler reads the request, calls the store and tells the dialer."""
