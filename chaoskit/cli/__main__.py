"""`python -m chaoskit.cli`: the `chaoskit` command, where its script is not on the PATH."""

from chaoskit.cli import main

main()
