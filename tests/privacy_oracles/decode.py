"""Adds what the Python library `iab-tcf` reads of every TCF string: NDJSON in, NDJSON out."""

import json
import re
import sys

from iab_tcf import decode


def read(text, asked):
    # The library drops what is not base64url.
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", text):
        return {"error": "characters"}
    try:
        consent = decode(text)
        if consent.version != 2:
            return {"error": f"version {consent.version}"}
        return {
            "version": 2,
            "policy": consent.tcf_policy_version,
            "specific": consent.is_service_specific,
            "consents": mask(consent.purposes_consent),
            "interests": mask(consent.purposes_legitimate_interests),
            "purpose_one": consent.purpose_one_treatment,
            "country": consent.publisher_cc.decode(),
            "vendors": [of(consent, vendor) for vendor in asked],
        }
    except Exception as error:  # whatever it is, the library cannot read the string
        return {"error": f"{type(error).__name__}: {error}"}


def mask(purposes):
    return sum(1 << (purpose - 1) for purpose, there in purposes.items() if there)


def of(consent, vendor):
    kinds = [0, 0, 0]
    for entry in consent.pub_restriction_entries:
        if entry.is_in_range(vendor) and 1 <= entry.purpose_id <= 24:
            kinds[entry.restriction_type % 3] |= 1 << (entry.purpose_id - 1)
    disclosed = getattr(consent, "oob_disclosed_vendors", None)
    return {
        "consent": consent.is_vendor_allowed(vendor),
        "interest": consent.is_interest_allowed(vendor),
        "kinds": kinds,
        "disclosed": None if disclosed is None else disclosed.get(vendor, False),
    }


for line in sys.stdin:
    one = json.loads(line)
    if one["kind"] == "tcf":
        one["python"] = read(one["text"], one["asked"])
    print(json.dumps(one))
