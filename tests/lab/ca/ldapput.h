/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The CA's write to its CDP object: modify/replace of one attribute, as [MS-CSRA] 3.1.4.1.6 says.
 */
#ifndef LAB_LDAPPUT_H
#define LAB_LDAPPUT_H

#include <windows.h>
#include <stddef.h>

/* url: expanded, un-escaped "ldap:///DN?attribute?...". Result: HRESULT of a Win32 code. */
HRESULT ldap_put(const char *url, const void *der, size_t len);

#endif
