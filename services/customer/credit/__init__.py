"""Customers who buy now and pay later: the form and its approval, bills and payments, overdue, supply suspended."""
