"""The processes of Dialstream, one package each; every one runs as `python -m services.<name>`."""
