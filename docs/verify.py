"""Checks an exported site without any code of ours: python3 verify.py SITE LOG.VKEY
Needs the packages blake3 and cryptography (Ed25519 and BLAKE3 are not in Python's own library). Every leaf is hashed
up to the signed root, every tile compared, the BLAKE3 chain, the numbering and the streams followed (FORMAT.md, 2, 3, 7).
Prints what is wrong and where; exits 0: all is well, 1: something is missing, 2: something is wrong.
Signatures are judged as OpenSSL does, which is stricter than ZIP-215 on crafted ones; honest ones are the same to both."""
import base64, hashlib, json, os, re, struct, sys
import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

site, key_file = sys.argv[1:3]
missing, wrong = [], []


def sha256(data):
    return hashlib.sha256(data).digest()


def root(hashes):
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"")
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\1" + root(hashes[:split]) + root(hashes[split:]))


def read(kind, index, width):
    """A tile of this width; or the full one that took its place. None if there is neither."""
    groups = re.findall("...", f"{index:0{-(-len(str(index)) // 3) * 3}}")
    path = "/".join(["tile", kind] + ["x" + group for group in groups[:-1]] + [groups[-1]])
    for name in [path] if width == 256 else [f"{path}.p/{width}", path]:
        if os.path.exists(os.path.join(site, name)):
            return name, open(os.path.join(site, name), "rb").read()
    missing.append(f"{path}: not there (records from {index * 256} on)" if kind in ("0", "entries") else path)
    return path, None


def whole(name, parts, rest, width):
    """The first `width` parts of a file; it must hold as many as its name says, to the last byte."""
    named = width if ".p/" in name else 256
    if len(parts) < named:
        missing.append(f"{name}: {len(parts)} of {named} are there")
    elif rest or len(parts) > named:
        wrong.append(f"{name}: more bytes than {named} of them have")
    return (parts + [None] * width)[:width]


def entries(name, bundle, width):
    parts = []
    while len(bundle) >= 2 and len(parts) < 256:
        length = struct.unpack(">H", bundle[:2])[0]
        if len(bundle) < 2 + length or ".p/" in name and len(parts) == width:
            break
        parts.append(bundle[2:2 + length])
        bundle = bundle[2 + length:]
    return whole(name, parts, bundle, width)


# The checkpoint, and whether the log's key signed it.
name, key_id, key = open(key_file).read().strip().split("+", 2)
key = base64.b64decode(key)
assert key[0] == 1 and sha256(name.encode() + b"\n" + key)[:4].hex() == key_id, "not the verifier key of a log"
if not os.path.exists(f"{site}/checkpoint"):
    print(f"{site}: no checkpoint")
    sys.exit(1 if os.path.exists(f"{site}/tile") else 74)
text, signatures = open(f"{site}/checkpoint", newline="").read().rsplit("\n\n", 1)
origin, size, expected = text.split("\n")
size, expected = int(size), base64.b64decode(expected, validate=True)
signed = [base64.b64decode(line.split(" ")[2]) for line in signatures.split("\n") if line.startswith(f"— {name} ")]
signed = [signature[4:] for signature in signed if signature[:4].hex() == key_id]
if not signed or origin != name:
    print("checkpoint: not signed by this key")
    sys.exit(1)
try:
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(signed[0], (text + "\n").encode())
except InvalidSignature:
    print("checkpoint: the signature is wrong")
    sys.exit(2)

# Two accounts of every leaf: its bytes, and its hash in the lowest row of tiles.
leaves, tiles, public = [], [], os.path.exists(f"{site}/public")
for index in range(-(-size // 256)):
    width = min(256, size - index * 256)
    name, bundle = ("", None) if public else read("entries", index, width)
    leaves += [None] * width if bundle is None else entries(name, bundle, width)
    name, tile = read("0", index, width)
    rows = [] if tile is None else [tile[at:at + 32] for at in range(0, len(tile) - 31, 32)]
    tiles += [None] * width if tile is None else whole(name, rows, len(tile) % 32, width)
hashes = [leaf if leaf is None else sha256(b"\0" + leaf) for leaf in leaves]
accounts = [account for account in (hashes, tiles) if None not in account and root(account) == expected]
truth = accounts[0] if accounts else None
if truth is None and not missing:
    wrong.append("neither the entries nor the tiles lead to the signed root")
if public:
    print("a public site: no entries, so records were not checked")

# Every record: is it in the tree, and does it continue what stands before it? After a record that is lost, a stream is
# taken at its word once, because the lost one may have been of it.
streams, time, lost = {}, "", -1
link = blake3.blake3(origin.encode(), derive_key_context=f"{origin} record-chain v1").hexdigest()
for position, (leaf, found, told) in enumerate(zip(leaves, hashes, tiles)):
    if leaf is not None and told and found != told:
        blame = "entry or tile" if truth is None else "tile" if found == truth[position] else "entry"
        wrong.append(f"record {position}: the {blame} is altered")
    if leaf is None or truth and found != truth[position]:
        link, lost = None, position
        continue
    try:
        fields = json.loads(leaf)
        count, last = streams.get(fields["stream"], (0, None))
        claimed = fields["stream_seq"], fields["stream_prev"]
        if fields["seq"] != position or link and fields["prev"] != link or fields["ts"] < time:
            wrong.append(f"record {position}: number, time or link to the record before is wrong")
        if claimed != (count, last) and (last or 0) >= lost:
            wrong.append(f"record {position}: it does not continue the stream {fields['stream']}")
        streams[fields["stream"]], time = (claimed[0] + 1, position), fields["ts"]
    except (ValueError, KeyError, TypeError):
        wrong.append(f"record {position}: not a leaf")
    link = blake3.blake3(leaf, derive_key_context=f"{origin} record-chain v1").hexdigest()

# The upper tiles follow from the lowest row.
level, row = 1, truth or []
while len(row) >= 256:
    row = [root(row[at:at + 256]) for at in range(0, len(row) - 255, 256)]
    for index in range(-(-len(row) // 256)):
        expected = b"".join(row[256 * index:256 * index + 256])
        path, tile = read(str(level), index, len(expected) // 32)
        if tile is not None and tile[:len(expected)] != expected or tile and ".p/" in path and len(tile) > len(expected):
            wrong.append(f"{path}: the tile is altered")
    level += 1

print(*missing, *wrong, f"{origin}: {size} records, {len(wrong)} wrong, {len(missing)} missing", sep="\n")
sys.exit(2 if wrong else 1 if missing else 0)
