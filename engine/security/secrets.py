"""Where secrets are kept: the system's keyring, else an encrypted file, else the environment. Never in plain text."""

import json
import os
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from engine.bus.errors import IntegrityError, SettingsError, UserError
from engine.security.secret import Secret

ALLOWED_BACKENDS = frozenset(
    {
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.libsecret.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.kwallet.DBusKeyringKWallet4",
        "keyring.backends.macOS.Keyring",
        "keyring.backends.Windows.WinVaultKeyring",
    }
)
_CHAINER = "keyring.backends.chainer.ChainerBackend"
_INDEX = "names"


class SecretStore(Protocol):
    """Secrets by name. Errors are ``UserError`` with a sentence for the person."""

    kind: str

    def get(self, name: str) -> Secret | None: ...
    def set(self, name: str, secret: Secret) -> None: ...
    def delete(self, name: str) -> None: ...
    def names(self) -> tuple[str, ...]: ...


def _name_of(backend: object) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def check_backend(backend: Any) -> None:
    """Refuse a keyring that keeps secrets in plain text, drops them, or that we do not know.

    Raises ``UserError`` naming it.
    """
    name = _name_of(backend)
    if name == _CHAINER:
        for member in backend.backends:
            check_backend(member)
        if backend.backends:
            return
    if name not in ALLOWED_BACKENDS:
        raise UserError(
            f"The keyring {name} is not one that keeps secrets safely. Unlock the system's keyring, "
            "or give the secret in an environment variable (env:NAME)."
        )


class KeyringStore:
    """The system's keyring. May block on a password prompt: call it outside the engine's loop."""

    kind = "keyring"

    def __init__(self, profile: str, backend: Any = None) -> None:
        """``profile`` keeps paper and live apart. Raises ``UserError`` when the keyring is not safe."""
        if backend is None:
            import keyring

            backend = keyring.get_keyring()
        check_backend(backend)
        self._backend = backend
        self._service = f"market-agent/{profile}"

    def get(self, name: str) -> Secret | None:
        value = self._ask(lambda: self._backend.get_password(self._service, name))
        return Secret(value) if value else None

    def set(self, name: str, secret: Secret) -> None:
        self._ask(lambda: self._backend.set_password(self._service, name, secret.reveal()))
        if self.get(name) != secret:
            raise UserError("The keyring took the secret but does not give it back; it was not stored.")
        self._keep_names({*self.names(), name})

    def delete(self, name: str) -> None:
        if name not in self.names():
            raise UserError(f"There is no secret named {name}.")
        self._ask(lambda: self._backend.delete_password(self._service, name))
        self._keep_names(set(self.names()) - {name})

    def names(self) -> tuple[str, ...]:
        stored = self._ask(lambda: self._backend.get_password(f"{self._service}/{_INDEX}", _INDEX))
        return tuple(json.loads(stored)) if stored else ()

    def _keep_names(self, names: Collection[str]) -> None:
        text = json.dumps(sorted(names))
        self._ask(lambda: self._backend.set_password(f"{self._service}/{_INDEX}", _INDEX, text))

    def _ask(self, call: Callable[[], Any]) -> Any:
        from keyring.errors import KeyringError

        try:
            return call()
        except (KeyringError, RuntimeError) as error:
            raise UserError(f"The system's keyring cannot be used: {error or type(error).__name__}.") from error


class EncryptedFileStore:
    """One file, AES-256-GCM under a key from the master passphrase by scrypt. Bound to its own header."""

    kind = "encrypted file"
    _magic = b"MASECRETS1\n"
    _n, _r, _p = 1 << 15, 8, 1

    def __init__(self, path: Path, passphrase: Secret, write_file: Callable[[Path, bytes], None]) -> None:
        """``write_file`` replaces a file whole, readable by the owner alone. Raises ``UserError`` when locked."""
        self._path = path
        self._passphrase = passphrase
        self._write_file = write_file
        self._values = self._read()

    def get(self, name: str) -> Secret | None:
        value = self._values.get(name)
        return Secret(value) if value else None

    def set(self, name: str, secret: Secret) -> None:
        self._write({**self._values, name: secret.reveal()})

    def delete(self, name: str) -> None:
        if name not in self._values:
            raise UserError(f"There is no secret named {name}.")
        self._write({key: value for key, value in self._values.items() if key != name})

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._values))

    def _key(self, salt: bytes) -> bytes:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        return Scrypt(salt=salt, length=32, n=self._n, r=self._r, p=self._p).derive(self._passphrase.reveal().encode())

    def _read(self) -> dict[str, str]:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not self._path.exists():
            return {}
        if sys.platform != "win32" and self._path.stat().st_mode & 0o077:
            raise UserError(f"{self._path.name} can be read by others; make it private first (chmod 600).")
        data = self._path.read_bytes()
        header = len(self._magic)
        if not data.startswith(self._magic) or len(data) < header + 16 + 12 + 16:
            raise IntegrityError(f"{self._path.name} is damaged or not a file of secrets")
        salt, nonce, sealed = data[header : header + 16], data[header + 16 : header + 28], data[header + 28 :]
        try:
            plain = AESGCM(self._key(salt)).decrypt(nonce, sealed, self._magic + salt)
        except InvalidTag as error:
            raise UserError(f"The passphrase does not open {self._path.name}, or the file is damaged.") from error
        return {str(name): str(value) for name, value in json.loads(plain).items()}

    def _write(self, values: dict[str, str]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        salt, nonce = os.urandom(16), os.urandom(12)
        plain = json.dumps(values, sort_keys=True).encode()
        sealed = AESGCM(self._key(salt)).encrypt(nonce, plain, self._magic + salt)
        self._write_file(self._path, self._magic + salt + nonce + sealed)
        self._values = values


def resolve(reference: str, store: SecretStore | None, environment: Mapping[str, str]) -> Secret:
    """Turn ``keyring:NAME`` or ``env:NAME`` into the secret. Raises ``SettingsError`` saying what is missing.

    ``keyring:`` means the store in use, also when that is the encrypted file. The message never holds the value.
    """
    scheme, colon, name = reference.partition(":")
    if not colon or not name:
        raise SettingsError("a secret is given as keyring:NAME or env:NAME, never as itself")
    if scheme == "env":
        value = environment.get(name, "")
        if not value:
            raise SettingsError(f"the environment variable {name} is not set")
        return Secret(value)
    if scheme == "keyring":
        if store is None:
            raise SettingsError(f"keyring:{name} cannot be read: no keyring is open")
        found = store.get(name)
        if found is None:
            raise SettingsError(f"the secret {name} is not stored; store it with `main.py secrets set {name}`")
        return found
    raise SettingsError("a secret is given as keyring:NAME or env:NAME, never as itself")
