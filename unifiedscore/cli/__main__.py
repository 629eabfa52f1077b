"""`python -m unifiedscore.cli`."""

from unifiedscore.cli import main

if __name__ == "__main__":
    main()
