"""`python -m unifiedscore`: the command line, for launchers such as mpiexec that start modules."""

from unifiedscore.cli import main

if __name__ == "__main__":
    main()
