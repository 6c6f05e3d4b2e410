"""How to reach the brokers, in the words of the client library."""

import ssl
from typing import Any

from vigla.errors import SettingsError
from vigla.settings import KafkaSettings

CLIENT = "vigla"


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Arguments that producers, consumers and the admin client have in common.

    Raises:
        SettingsError: a certificate cannot be read, or the login is half given.
    """
    if bool(settings.sasl_mechanism) != bool(settings.sasl_user):
        raise SettingsError("kafka.sasl_mechanism and kafka.sasl_user: give both or neither")
    protocol = "SASL_" if settings.sasl_mechanism else ""
    arguments: dict[str, Any] = {
        "bootstrap_servers": list(settings.servers),
        "client_id": settings.instance or CLIENT,
        "security_protocol": protocol + ("SSL" if settings.tls else "PLAINTEXT"),
    }
    if settings.tls:
        arguments["ssl_context"] = _tls(settings)
    if settings.sasl_mechanism:
        arguments |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_user,
            "sasl_plain_password": settings.sasl_password.get_secret_value(),
        }
    return arguments


def _tls(settings: KafkaSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca)
        if settings.tls_certificate is not None:
            context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError(f"kafka.tls_ca, kafka.tls_certificate or kafka.tls_key: {error}") from error
    context.check_hostname = settings.tls_verify_host
    return context
