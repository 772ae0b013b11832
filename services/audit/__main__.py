"""`python -m services.audit api | worker | migrate`."""

from services.audit.app import SERVICE
from shared.process import main

if __name__ == "__main__":
    main(SERVICE)
