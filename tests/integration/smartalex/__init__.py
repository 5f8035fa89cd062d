"""The dialect of SmartAlex over HTTP."""
