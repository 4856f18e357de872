# Gatehouse. SPDX-License-Identifier: MIT
"""Measures the gateway against the floor: a relay that parses no JSON and decides nothing."""
