"""Key sets as Envoy takes them: it refuses a whole listener for a set without a key that it can use."""

import base64
import binascii
import functools
import hashlib
import json
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import ec

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
}
_ED25519_BYTES = 32
_P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
_P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def usable(keys: str) -> str:
    """The key set, or one that no token can be signed with where it holds nothing that Envoy can use."""
    return keys if any(_known(keys)) else nobodys_key()


def _known(keys: str) -> Iterator[bool]:
    try:
        found = json.loads(keys)
    except ValueError:
        return
    listed = found.get("keys") if isinstance(found, dict) else None
    for key in listed if isinstance(listed, list) else ():
        if isinstance(key, dict):
            yield _valid({str(name): value for name, value in key.items() if isinstance(value, str)})


def _valid(key: dict[str, str]) -> bool:
    try:
        match key.get("kty"):
            case "RSA":
                return bool(_number(key["n"]) and _number(key["e"]))
            case "EC":
                curve = _CURVES[key["crv"]]()
                ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), curve).public_key()
                return True
            case "OKP":
                return key["crv"] == "Ed25519" and len(_bytes(key["x"])) == _ED25519_BYTES
            case "oct":
                return bool(_bytes(key["k"]))
    except (KeyError, ValueError, binascii.Error):
        return False
    return False


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


@functools.cache
def nobodys_key() -> str:
    """A key set with a point of P-256 taken from a hash, so that nobody has its private key."""
    x = int.from_bytes(hashlib.sha256(b"an issuer whose keys are not known").digest(), "big")
    while True:
        square = (x**3 - 3 * x + _P256_B) % _P256
        y = pow(square, (_P256 + 1) // 4, _P256)
        if y * y % _P256 == square:
            break
        x += 1
    key = {"kty": "EC", "crv": "P-256", "kid": "nobody", "x": _text(x), "y": _text(y)}
    return json.dumps({"keys": [key]})


def _text(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode("ascii")
