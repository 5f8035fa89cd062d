"""What webhooks say: each dialect's renderer makes the events of a fact, and their JSON, in that dialect's words.

A package of its own between services and use cases, because two services need it: webhook-sender renders, and
campaign-api asks which facts stand behind the events that a customer subscribes to. Renderers read by the engine's use
cases alone; what makes JSON of the values that were read is pure, and can be the dialect's own translation moved here.
"""
