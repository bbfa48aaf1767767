"""A certificate authority of its own, and a server context for each name that a client asks for."""

import hashlib
import os
import secrets
import ssl
import subprocess
import threading


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    def __init__(self, directory, name="Emulator CA"):
        self.directory = directory
        self.ca = os.path.join(directory, "ca.pem")
        self._ca_key = os.path.join(directory, "ca.key")
        self._key = os.path.join(directory, "server.key")
        self._contexts = {}
        self._lock = threading.Lock()
        if os.path.exists(self.ca):  # made by another process
            return
        for path in (self._ca_key, self._key):
            _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
        _openssl("req", "-x509", "-new", "-key", self._ca_key, "-days", "2", "-subj", f"/CN={name}",
                 "-addext", "keyUsage=critical,keyCertSign", "-out", self.ca)

    def context(self, name, days=2):
        """A server-side SSLContext whose certificate is for `name` (a host name, or 127.0.0.1)."""
        with self._lock:
            if (name, days) not in self._contexts:
                self._contexts[name, days] = self._make(name, days)
            return self._contexts[name, days][0]

    def certificate(self, name):
        """Path of the certificate for `name`; its key is server.key in the same folder."""
        self.context(name)
        return self._contexts[name, 2][1]

    def _make(self, name, days):
        certificate = os.path.join(self.directory, hashlib.sha256(f"{name} {days}".encode()).hexdigest() + ".pem")
        if not os.path.exists(certificate):  # else made by another process
            new = f"{certificate}.{os.getpid()}"
            kind = "IP" if name.replace(".", "").isdigit() else "DNS"
            _openssl("req", "-new", "-key", self._key, "-subj", "/CN=emulator",
                     "-addext", f"subjectAltName={kind}:{name}", "-out", new + ".csr")
            _openssl("x509", "-req", "-in", new + ".csr", "-CA", self.ca, "-CAkey", self._ca_key, "-days", str(days),
                     "-set_serial", str(secrets.randbits(60)), "-copy_extensions", "copy", "-out", new)
            os.rename(new, certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, self._key)
        return context, certificate
