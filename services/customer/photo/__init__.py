"""Photographs of customers: the pictures behind image items."""
