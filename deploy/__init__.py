"""How Dialstream is set up and run: images, topics, and the local stack."""
