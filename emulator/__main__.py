"""`python -m emulator`: the emulated clouds' command."""

from emulator.cli import app

if __name__ == "__main__":
    app()
