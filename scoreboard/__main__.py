"""`python -m scoreboard` is the command `scoreboard`."""

from scoreboard.cli import main

main(prog_name="scoreboard")
