"""Kafka: how messages are published, consumed and, when unusable, set aside."""
