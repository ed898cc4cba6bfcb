"""What is noticed about data, and how it was read, as plain values for JSON, and back."""

from dataclasses import fields
from typing import Any

import numpy as np

from gruviz.csv import Finding, Overrides, Reading, Remedy, Severity


def plain_finding(finding: Finding) -> dict[str, Any]:
    """A finding as a dict of JSON."""
    return {
        "code": finding.code,
        "severity": int(finding.severity),
        "text": finding.text,
        "many": finding.many,
        "values": {k: _plain(v) for k, v in finding.values.items()},
        "remedies": [
            {
                "text": each.text,
                "overrides": each.overrides.to_json(),
                "values": {k: _plain(v) for k, v in each.values.items()},
            }
            for each in finding.remedies
        ],
    }


def finding_of(plain: dict[str, Any]) -> Finding:
    """The finding that `plain_finding` wrote."""
    remedies = tuple(
        Remedy(each["text"], Overrides.from_json(each["overrides"]), each["values"])
        for each in plain["remedies"]
    )
    severity = Severity(plain["severity"])
    return Finding(plain["code"], severity, plain["text"], plain["values"], plain["many"], remedies)


def plain_reading(reading: Reading) -> dict[str, Any]:
    """A reading as a dict of JSON."""
    return {each.name: getattr(reading, each.name) for each in fields(Reading)}


def reading_of(plain: dict[str, Any]) -> Reading:
    """The reading that `plain_reading` wrote: JSON has lists for tuples."""
    return Reading(**{name: _tuple(value) for name, value in plain.items()})


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
