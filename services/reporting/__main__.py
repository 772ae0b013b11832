"""`python -m services.reporting api | worker | migrate`."""

from services.reporting.app import SERVICE
from shared.process import main

if __name__ == "__main__":
    main(SERVICE)
