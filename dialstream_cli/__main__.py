"""`python -m dialstream_cli`, the same as `dialstream`."""

from dialstream_cli.app import main

if __name__ == "__main__":
    main()
