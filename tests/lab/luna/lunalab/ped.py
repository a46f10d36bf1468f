# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""The PIN entry device beside the appliance: what happens between its prompt and its answer.

A second console plays the person: `luna ped DIR present blue|black|wrong|cancel`. A wrong colour is refused by the PED
and does not count; a blue key with the wrong content counts (three in a row zeroize the HSM).
"""
import time

OK, PIN_INCORRECT, TIMEOUT, CANCELLED, UNPLUGGED, TOO_OLD = range(6)

RETURN_CODES = {
    PIN_INCORRECT: "A00000 : LUNA_RET_UM_PIN_INCORRECT",
    TIMEOUT: "300134 : LUNA_RET_SP_TIMEOUT",
    CANCELLED: "300144 : LUNA_RET_PED_ERROR",
    UNPLUGGED: "300142 : LUNA_RET_PED_UNPLUGGED",
    TOO_OLD: "300141 : LUNA_RET_PED_UNSUPPORTED_PROTOCOL",
}


def speaks_protocol(ped_firmware, hsm_firmware):
    """HSM firmware 7.7.0 needs PED firmware 2.7.4 (older PED) or 2.9.0 (refreshed PED)."""
    if hsm_firmware < (7, 7, 0):
        return True
    return ped_firmware >= (2, 9, 0) or (2, 7, 4) <= ped_firmware < (2, 8, 0)


def attend(store, term, colour, version):
    """Waits for the person at the PED; silent, as lunash is. Returns one of the outcomes above."""
    s = store.read()
    if not s["ped"]["attached"]:
        return UNPLUGGED
    if not speaks_protocol(version(s["ped"]["firmware"]), version(s["hsm"]["fw"])):
        return TOO_OLD
    with store.change() as s:
        s["ped"]["waiting"] = colour
        s["ped"]["presented"] = []
    try:
        return _wait(store, term, colour, s["ped"]["keys_needed"], s["times"])
    finally:
        with store.change() as s:
            s["ped"]["waiting"] = ""


def _wait(store, term, colour, needed, times):
    start = key_start = time.monotonic()
    while True:
        term.pause(0.05)
        now = time.monotonic()
        s = store.read()
        keys, ped = list(s["ped"]["presented"]), s["ped"]
        if not keys and ped["auto"] and now - key_start >= ped["auto_after"]:
            keys = [ped["auto"]]
        for key in keys:
            with store.change() as s:
                s["ped"]["presented"] = s["ped"]["presented"][1:]
            if key == "cancel":
                return CANCELLED
            if key == "wrong":
                return PIN_INCORRECT
            if key == colour:
                needed -= 1
                key_start = now
            if needed == 0:
                return OK
        if now - key_start >= times["pedk"] or now - start >= times["pedo"]:
            return TIMEOUT
