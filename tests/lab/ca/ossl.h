/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* OpenSSL beside the Windows headers and base/err.h: wincrypt.h first (OpenSSL undoes its macros),
 * and OpenSSL's own ERR_STATE under another name. */
#ifndef LAB_OSSL_H
#define LAB_OSSL_H

#include <winsock2.h>
#include <windows.h>
#include <wincrypt.h>

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#endif
