"""The dialect of SmartAlex: a client of that product works here, base URL and key apart. It renames and renders."""
