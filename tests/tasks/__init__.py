"""Tests of service.tasks."""
