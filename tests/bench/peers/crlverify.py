# SPDX-License-Identifier: Apache-2.0
"""Peer of the bench: pyca/cryptography reads a CRL, checks its signature and counts its entries."""
import sys

from cryptography import x509

ca = x509.load_pem_x509_certificate(open(sys.argv[1], "rb").read())
crl = x509.load_der_x509_crl(open(sys.argv[2], "rb").read())
if not crl.is_signature_valid(ca.public_key()):
    sys.exit(1)
print(len(crl), crl.last_update)
