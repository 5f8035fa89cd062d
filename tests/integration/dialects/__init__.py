"""What every dialect must keep: credentials, isolation, hostile bodies, its document. A dialect describes itself."""
