"""Customers that leavers have to hand over, as the customer service tells of them."""
