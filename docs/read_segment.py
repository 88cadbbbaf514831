"""Reads Hefu segment files with nothing but Python: python3 read_segment.py L/segments/*.seg
Prints every committed record; exits 1 if a checksum or digest is wrong. The format is FORMAT.md section 6."""
import hashlib, json, struct, sys, zlib

bad = 0
for path in sorted(sys.argv[1:]):
    data = open(path, "rb").read()
    magic, base = struct.unpack_from("<8sQ", data)
    assert magic == b"HEFUSEG\x01" and zlib.crc32(data[:60]) == struct.unpack_from("<I", data, 60)[0], path
    at, batch, command = 64, [], b""
    while data[at:at + 4] == b"HFR\x01":
        kind, length, crc = struct.unpack_from("<III", data, at + 4)
        payload = data[at + 16:at + 16 + length]
        if zlib.crc32(data[at + 4:at + 12] + payload) != crc:
            sys.exit(f"{path}: damaged frame at byte {at}")
        if kind == 1:
            position, *lengths, _ = struct.unpack_from("<QIIII", payload)
            ends = [24 + sum(lengths[:n]) for n in range(4)]
            leaf, body, own = (payload[ends[n]:ends[n + 1]] for n in range(3))
            command = own or command
            batch.append((position, json.loads(leaf), body, command, None))
        elif kind == 3:
            position, leaf, body, by = struct.unpack_from("<QIIQ", payload)
            batch.append((position, json.loads(payload[24:24 + leaf]), payload[24 + leaf:24 + leaf + body], b"", by))
        else:
            for position, leaf, body, signed, by in batch:
                ok = leaf["seq"] == position
                ok &= (by is not None and not body) or leaf["body_sha256"] == hashlib.sha256(body).hexdigest()
                ok &= by is not None or leaf["command_sha256"] == hashlib.sha256(signed).hexdigest()
                bad += not ok
                print(position, leaf["ts"], leaf["type"], leaf["stream"],
                      "" if ok else "DIGEST WRONG", "" if by is None else f"withheld, says: redacted by {by}")
            batch = []
        at += (16 + length + 7) // 8 * 8
sys.exit(1 if bad else 0)
