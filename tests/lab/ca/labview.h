/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside the lab's certadm.dll: the second class beside CCertAdmin. */
#ifndef LAB_LABVIEW_H
#define LAB_LABVIEW_H

#include <windows.h>
#include <oleauto.h>

static const GUID clsid_cert_view = {
    0xA12D0F7A, 0x1E84, 0x11D1, {0x9B, 0xD6, 0x00, 0xC0, 0x4F, 0xB6, 0x83, 0xFA}};

HRESULT certview_create(REFIID iid, void **ret);
/* "HOST\CA": is it this CA, and does it let itself be administered? */
HRESULT certadm_check_config(BSTR config);

#endif
