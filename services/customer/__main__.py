"""`python -m services.customer api | worker | migrate`."""

from services.customer.app import SERVICE
from shared.process import main

if __name__ == "__main__":
    main(SERVICE)
