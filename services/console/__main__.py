"""Entry: python -m services.console api | worker | migrate."""

from services.console.app import SERVICE
from shared.process import main

if __name__ == "__main__":
    main(SERVICE)
