#!/usr/bin/env python3
"""A reader of suppression lists (`vaglio export --format suppression`), with nothing but the standard library.

    read.py FILE TYPE:UID ...        exit codes: 0 answered, 1 the list may not be used

An `ifa` counts in lower case, an e-mail or phone as its UID2 hash in Base64, everything else as it is.
docs/exports.md draws the bytes.
"""
import bisect
import hashlib
import struct
import sys
import time

HEADER = struct.Struct("<8sII16sqqQ8x")


class List:
    """A list that is whole and has not ended."""

    def __init__(self, data, now):
        body, checksum = data[:-32], data[-32:]
        if len(body) < HEADER.size or body[:8] != b"VGLSUPP1":
            raise ValueError("not a suppression list")
        _, version, width, self.salt, self.created, self.expires, count = HEADER.unpack_from(body)
        if (version, width) != (1, 16):
            raise ValueError("a suppression list of another version")
        if hashlib.sha256(body).digest() != checksum or len(body) != HEADER.size + 16 * count:
            raise ValueError("the list is damaged: fetch it again")
        if now >= self.expires:
            raise ValueError("the list has expired: fetch a new one, and use none until then")
        self.entries = [body[at : at + 16] for at in range(HEADER.size, len(body), 16)]

    def __contains__(self, identifier):
        id_type, uid = identifier
        id_type = id_type.lower()
        uid = uid.lower() if id_type == "ifa" else uid
        wanted = hashlib.sha256(self.salt + id_type.encode() + b"\0" + uid.encode()).digest()[:16]
        at = bisect.bisect_left(self.entries, wanted)
        return at < len(self.entries) and self.entries[at] == wanted


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    try:
        listed = List(data, time.time())
    except ValueError as why:
        sys.exit(f"{sys.argv[1]}: {why}")
    for asked in sys.argv[2:]:
        id_type, uid = asked.split(":", 1)
        print(f"{id_type}: {'listed' if (id_type, uid) in listed else 'not listed'}")


if __name__ == "__main__":
    main()
