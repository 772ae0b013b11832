"""`python -m services.identity api | worker | migrate`."""

from services.identity.app import SERVICE
from shared.process import main

if __name__ == "__main__":
    main(SERVICE)
