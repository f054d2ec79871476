"""Secrets, the audit chain, clean logs, clean foreign text."""
