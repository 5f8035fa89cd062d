"""Bad messages of every kind on every topic: none stops a consumer, none is lost, none harms anybody."""
