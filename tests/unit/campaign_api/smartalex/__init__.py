"""The pure parts of the dialect of SmartAlex."""
