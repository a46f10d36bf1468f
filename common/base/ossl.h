/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The OpenSSL headers in use, included in one way: OpenSSL's err.h has a type ERR_STATE, which
 * would clash with enum err_code. */
#ifndef CRLAGENT_BASE_OSSL_H
#define CRLAGENT_BASE_OSSL_H

#define ERR_STATE OSSL_ERR_STATE
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#endif
