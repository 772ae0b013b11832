"""Attachments of customers: contracts, copies of licences, letters, reports, as files with versions."""
