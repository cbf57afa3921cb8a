"""The certificates of a run: an authority that nobody else knows, one for each node and one for all clients; and bad ones, for impostors.

Made by ``cryptography`` in the controller's memory, with keys on the curve P-256. A certificate names its owner (a node, or CLIENTS) as its
one DNS name. Each comes as one text: the certificate and its private key, in PEM.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CLIENTS = "clients"
# Far enough to both sides that no clock of a node, however wrong a fault sets it, decides who may speak.
VALID = dt.timedelta(days=365)


class Maker:
    """An authority, and what it signs."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        ca = x509.BasicConstraints(ca=True, path_length=0)
        self._own = self._builder(self._name, self._key, VALID).add_extension(ca, critical=True)
        self.certificate = self._signed(self._own)

    def issue(self, name: str, good_until: dt.timedelta = VALID) -> str:
        """A certificate for ``name`` with its key, good until so long from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key, good_until)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._signed(builder) + private.decode()

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, good_until: dt.timedelta
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateBuilder(issuer_name=self._name, subject_name=subject, public_key=key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - 2 * VALID).not_valid_after(now + good_until)

    def _signed(self, builder: x509.CertificateBuilder) -> str:
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


class Certificates:
    """Of one run. ``bad`` holds those that no node may accept, by the kind of attempt (``harness.effects``)."""

    def __init__(self, nodes: Sequence[str]) -> None:
        ours = Maker("splitbrain run")
        self.authority = ours.certificate
        self.nodes = {node: ours.issue(node) for node in nodes}
        self.clients = ours.issue(CLIENTS)
        self.bad = {
            "other-authority": Maker("splitbrain run").issue(CLIENTS),
            "expired-certificate": ours.issue(CLIENTS, dt.timedelta(minutes=-1)),
        }
