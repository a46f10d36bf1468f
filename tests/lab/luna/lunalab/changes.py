# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""The commands that change the appliance: login, packages, firmware, reboot, services, and what can go wrong in each."""
import os
import time

from . import package, ped
from .shell import FAILED, USAGE, Fail
from .state import version
from .supervisor import request, tell_signer
from .transfer import used_by_files

REBOOT_PATCH = "lunasa-reboot-patch-3"


# -- login ---------------------------------------------------------------------------------------
def hsm_login(sh, args):
    values, _ = sh.options(args, password=1)
    s = sh.need_hsm()
    h = s["hsm"]
    if s["fault"]["login_text"]:
        sh.say(s["fault"]["login_text"].replace("\\n", "\n"))
    if h["attempts"] == 0:
        raise sh.failed("hsm login", "30000F : LUNA_RET_SO_LOGIN_FAILURE_THRESHOLD")
    if h["attempts"] == 1:
        sh.ask("\nCaution:  This is your LAST available HSM Admin login attempt.\n          If the wrong credential is "
               "provided the HSM will be zeroized.\n\n          Type 'proceed' to continue, or 'quit' to quit now.",
               "          > ", "")
    if h["auth"] == "Password":
        outcome = _password(sh, values)
    else:
        sh.say(" \nLuna PED operation required to login as HSM Administrator - use Security Officer (blue) PED key.\n ")
        outcome = sh.attend_ped("blue")
    _count(sh, outcome)
    sh.term.write("\n'hsm login' successful.\n")


def _password(sh, values):
    given = values.get("password")
    if given is None:
        sh.term.write("\nPlease enter the HSM Administrators' password:\n> ")
        given = sh.term.read_line(echo="stars")
    return ped.OK if given == sh.store.text("so.password") else ped.PIN_INCORRECT


def _count(sh, outcome):
    """Books a login attempt. Only a wrong secret counts; time-out, wrong colour and cancelling do not."""
    if outcome not in (ped.OK, ped.PIN_INCORRECT):
        raise sh.failed("hsm login", ped.RETURN_CODES[outcome])
    with sh.store.change() as s:
        h = s["hsm"]
        if outcome == ped.OK:
            h["attempts"], h["so"] = 3, sh.token
            return
        h["attempts"] -= 1
        left = h["attempts"]
        if left == 0:
            zeroize(s)
    message(sh.store, "HSM Admin Login: incorrect password or PED key")
    if left:
        raise sh.failed("hsm login", ped.RETURN_CODES[ped.PIN_INCORRECT])
    message(sh.store, "HSM Admin Login: HSM Zeroized due to three consecutive bad login attempts.")
    tell_signer(sh.store)
    raise sh.failed("hsm login", "30000F : LUNA_RET_SO_LOGIN_FAILURE_THRESHOLD")


def zeroize(s):
    s["hsm"].update(attempts=0, so="", label="")
    s["partitions"] = []


def message(store, text):
    with open(store.file("messages"), "a", encoding="utf-8") as f:
        f.write(time.strftime("%Y %b %d %H:%M:%S ", time.gmtime()) + f"local_host kern info kernel: {text}\n")


def hsm_logout(sh, _):
    with sh.store.change() as s:
        if s["hsm"]["so"] == sh.token:
            s["hsm"]["so"] = ""
    sh.term.write("\n'hsm logout' successful.\n")


# -- packages ------------------------------------------------------------------------------------
def _package(sh, args, command):
    values, rest = sh.options(args, authcode=1, useevp=0, des3=0, force=0)
    if len(rest) != 1 or "authcode" not in values:
        raise Fail(f"\nSyntax: {command} <filename> -authcode <code> [-des3 | -useevp] [-force]\n", USAGE)
    path = sh.store.file("files", os.path.basename(rest[0]))
    if not os.path.exists(path):
        raise Fail(f"\nError:  File '{rest[0]}' does not exist.\n")
    if "useevp" not in values:
        sh.need_so(command)
    return values, rest[0], path


def _unpack(sh, path, code):
    """Decrypt, certificate, signature: the three lines of every package command."""
    t = sh.store.read()["times"]["step"]
    head = package.read_head(path)
    if not head or not package.code_matches(head, code):
        raise Fail("\n\nCommand failed:  decrypt package\n")
    sh.say("\n\nCommand succeeded:  decrypt package", t)
    sh.say("\nCommand succeeded:  verify package certificate", t)
    if not package.intact(path, head):
        raise Fail("\nCommand failed:  verify package signature\n")
    sh.say("\nCommand succeeded:  verify package signature")
    return head


def package_verify(sh, args):
    values, _, path = _package(sh, args, "package verify")
    _unpack(sh, path, values["authcode"])


def package_update(sh, args):
    values, name, path = _package(sh, args, "package update")
    sh.need_idle()
    if "force" not in values:
        if version(sh.store.read()["sw"]) >= (7, 0, 0):
            sh.ask("\nWARNING!!  Appliance software upgrade is a one-way operation: you \n"
                   "cannot downgrade the appliance software once it is installed.\n\n"
                   "          Type 'proceed' to continue, or 'quit' to quit now.", "          > ")
        else:
            sh.ask("\nCAUTION:  Are you sure you wish to update the appliance software?\n\n"
                   "          Type 'proceed' to update, or\n          'quit' to quit now.", "          > ")
    with sh.store.change() as s:
        s["busy"] = f"package update {name}"
    try:
        sh.protect()
        _install(sh, name, path, values["authcode"])
    finally:
        with sh.store.change() as s:
            s["busy"] = ""


def _install(sh, name, path, code):
    head = _unpack(sh, path, code)
    s = sh.store.read()
    t = s["times"]
    stem = name[:-5] if name.endswith(".spkg") else name
    sh.say(f"Preparing packages for installation...\n{stem}\nRunning update script\n", t["step"])
    _refuse(sh, s, head, stem)
    sh.say("Version file found.\nBEGINNING UPDATE......\n", t["step"])
    sh.say("UNPACKING UPDATE FILES......\n", t["step"])
    if used_by_files(sh.store) + s["disk"]["used"] + head["payload"] > s["disk"]["size"]:
        raise Fail("tar: lunasa_update: Cannot write: No space left on device\n\nUpdate Failed\n")
    sh.say("VERIFYING SOFTWARE PACKAGES......\n\n1...Passed\n", t["step"])
    sh.say("INSTALLING SOFTWARE PACKAGES......\n")
    sh.pause(t["silence"])
    if s["update"]["asks"]:
        sh.term.write("Kernel modules were replaced.\nKey of the boot loader:\n> ")
        sh.term.read_line(echo="line")
    failed = s["update"]["failed_line"]
    sh.say("1...Passed\n" + ("2...[FAILED]\n" if failed else ""))
    with sh.store.change() as s:
        s["installed"].append(stem)
        if head["kind"] == "patch":
            s["patches"].append(stem)
        elif not failed and not s["update"]["no_effect"]:
            s["sw_pending"] = head["version"]
            s["hsm"]["standby_fw"] = head["firmware"]
    sh.say("\n\nRESTARTING SERVICES......\n")
    itself = s["update"]["self_reboot"] if head["kind"] == "update" else "no"
    if itself == "before":
        _go_down(sh)
    sh.say("SOFTWARE UPDATE COMPLETED!\n\nThe system MUST now be rebooted for the changes to take effect.\n"
           "Please ensure all client connections are terminated prior to rebooting the\nsystem.\n"
           'To reboot, use the command "sysconf appliance reboot".\n\nUpdate Completed\n')
    if itself == "after":
        request(sh.store, "reboot")


def _refuse(sh, s, head, stem):
    """Reasons that the update script finds only after it has unpacked the package."""
    if stem in s["installed"] or (head["kind"] == "update" and head["version"] == s["sw"]):
        raise Fail(f"Command failed: RPM update for original filename ({stem}.i386.rpm)\n\nUpdate Failed\n")
    if head["kind"] == "update" and version(head["version"]) < version(s["sw"]):
        raise Fail("The appliance software cannot be downgraded.\n\nUpdate Failed\n")
    if version(head["version"])[0] != version(s["sw"])[0]:
        raise Fail("This package is not for this appliance model.\n\nUpdate Failed\n")
    if (head["kind"] == "update" and version(head["version"]) >= (7, 7, 0) and s["needs_reboot_patch"]
            and not any(p.startswith("lunasa-reboot-patch") for p in s["patches"])):
        raise Fail("This appliance requires the reboot fix before this update.\nInstall the package "
                   f"{REBOOT_PATCH}.spkg, then run this update again.\n\nUpdate Failed\n")


def package_deletefile(sh, args):
    values, rest = sh.options(args, force=0)
    if len(rest) != 1 or not os.path.exists(sh.store.file("files", os.path.basename(rest[0]))):
        raise Fail("\nError:  File does not exist.\n")
    if "force" not in values:
        sh.ask(f"\nCAUTION:  Are you sure you wish to delete {rest[0]}?\n\n          Type 'proceed' to delete, or\n"
               "          'quit' to quit now.", "          > ")
    os.unlink(sh.store.file("files", os.path.basename(rest[0])))
    sh.say(f"\n'{sh.running}' successful.\n")


def file_clear(sh, args):
    values, _ = sh.options(args, force=0)
    if "force" not in values:
        sh.ask("\nCAUTION:  All your files will be deleted.\n\n          Type 'proceed' to delete, or\n"
               "          'quit' to quit now.", "          > ")
    for name in os.listdir(sh.store.file("files")):
        os.unlink(sh.store.file("files", name))
    sh.say("\n'my file clear' successful.\n")


# -- firmware ------------------------------------------------------------------------------------
def firmware_upgrade(sh, args):
    name = sh.running
    refused = "hsm update firmware"     # the shell keeps the old name in this message
    values, _ = sh.options(args, force=0)
    s = sh.need_so(name)
    sh.need_idle()
    if s["hsm"]["stm"] or s["hsm"]["tamper"]:
        raise sh.failed(refused, "10A0B : LUNA_RET_OPERATION_RESTRICTED")
    if not s["hsm"]["standby_fw"] or s["hsm"]["standby_fw"] == s["hsm"]["fw"]:
        raise Fail(f"\nError:  '{name}' failed. No firmware upgrade is available.\n")
    if s["sw_pending"]:
        raise Fail(f"\nError:  '{name}' failed. The system must be rebooted first.\n")
    if "force" not in values:
        sh.ask("\nCAUTION:  This operation will upgrade the firmware of the HSM.\n\n"
               "          Type 'proceed' to upgrade the firmware, or\n          'quit' to quit now.", "          > ")
    with sh.store.change() as s:
        s["busy"] = "firmware upgrade"
    try:
        sh.protect()
        sh.maybe_drop(name, "0")
        sh.pause(s["times"]["firmware"])
        if s["firmware"]["unanswered"]:
            raise Fail("\nError:    Unable to communicate with HSM.\n"
                       "Please run 'hsm supportInfo' and contact customer support.\n")
        _load(sh, name)
    finally:
        with sh.store.change() as s:
            s["busy"] = ""
    sh.term.write(f"\n'{name}' successful.\n")


def _load(sh, name):
    with sh.store.change() as s:
        f, h = s["firmware"], s["hsm"]
        if f["fails"]:
            raise sh.failed(name, f["fails"])
        h["so"] = ""
        h["answers_at"] = time.time() + s["times"]["hsm_reset"]
        if not f["no_effect"]:
            h["rollback_fw"], h["fw"] = h["fw"], h["standby_fw"]
            h["standby_fw"] = ""
        if not f["keeps_activation"]:
            for p in s["partitions"]:
                p["active"] = False
    message(sh.store, "k7pf0: [HSM] ALM2014: Auto-activation data invalid - HSM deactivated")
    request(sh.store, "signer")


def firmware_rollback(sh, args):
    values, _ = sh.options(args, force=0)
    s = sh.need_so("hsm firmware rollback")
    if s["hsm"]["fm_ever"] or not s["hsm"]["rollback_fw"]:
        raise sh.failed("hsm firmware rollback", "10A0B : LUNA_RET_OPERATION_RESTRICTED")
    if "force" not in values:
        sh.ask("\nCAUTION:  This operation will rollback the firmware of the HSM and ZEROIZE the HSM.\n\n"
               "          Type 'proceed' to roll back, or\n          'quit' to quit now.", "          > ")
    sh.pause(s["times"]["firmware"])
    with sh.store.change() as s:
        s["hsm"]["fw"], s["hsm"]["rollback_fw"] = s["hsm"]["rollback_fw"], ""
        zeroize(s)
    tell_signer(sh.store)
    sh.term.write("\n'hsm firmware rollback' successful.\n")


def tamper_clear(sh, _):
    sh.need_so("hsm tamper clear")
    with sh.store.change() as s:
        s["hsm"]["tamper"] = ""
    sh.say("\n'hsm tamper clear' successful.\n")


def stm_recover(sh, _):
    sh.need_so("hsm stm recover")
    with sh.store.change() as s:
        s["hsm"]["stm"] = False
    sh.say("\n'hsm stm recover' successful.\n")


def stc_disable(sh, _):
    sh.need_so("hsm stc disable")
    with sh.store.change() as s:
        s["hsm"]["stc_admin"] = False
    sh.say("\n'hsm stc disable' successful.\n")


# -- reboot, services, routes --------------------------------------------------------------------
def _go_down(sh):
    """The appliance goes down at once: no result line, the connection dies with it."""
    request(sh.store, "reboot-now")
    sh.term.detached = True
    time.sleep(0.2)


def reboot(sh, args):
    _power(sh, args, "reboot", "\nThe system is going down for reboot NOW!\nReboot commencing")


def poweroff(sh, args):
    _power(sh, args, "poweroff", "\nThe system is going down for system halt NOW!\nPower off commencing")


def _power(sh, args, what, text):
    values, _ = sh.options(args, force=0)
    if "force" not in values:
        sh.ask(f"\nCAUTION:  Are you sure you wish to {what} the appliance?\n          All clients will be disconnected.\n"
               f"\n          Type 'proceed' to {what} the appliance, or\n          'quit' to quit now.", "          > ")
    if version(sh.store.read()["sw"]) < (6, 0, 0):
        text = "\nBroadcast message from root (pts/0) (" + time.strftime("%a %b %e %H:%M:%S %Y", time.gmtime()) + "):\n" + text
    sh.say(text)
    request(sh.store, what)


def _init(sh, verb, name, good):
    sh.term.write(f"{verb + ' ' + name + ':':<59}{'[  OK  ]' if good else '[FAILED]'}\n")


def _service(args, s):
    if len(args) != 1 or args[0] not in s["services"]:
        raise Fail("\nError:  Specified service does not exist.\n", FAILED)
    return args[0]


def service_stop(sh, args):
    """Stopping what does not run prints [FAILED] and still ends with result 0."""
    with sh.store.change() as s:
        name = _service(args, s)
        was, s["services"][name] = s["services"][name], False
    _init(sh, "Stopping", name, was)


def service_start(sh, args):
    with sh.store.change() as s:
        name = _service(args, s)
        s["services"][name] = True
    _init(sh, "Starting", name, True)


def service_restart(sh, args):
    service_stop(sh, args)
    service_start(sh, args)


def route_delete(sh, args):
    """The second default route is deleted here; with one left, port 22 comes back after the next network restart."""
    values, rest = sh.options(args, device=1, gateway=1, force=0)
    with sh.store.change() as s:
        hits = [r for r in s["routes"] if r[0] == (rest or ["0.0.0.0"])[0]
                and values.get("device", r[4]) == r[4] and values.get("gateway", r[1]) == r[1]]
        if not hits:
            raise Fail("\nError:  'network route delete' failed. (C000040A : RC_OBJECT_NOT_IN_LIST)\n")
        s["routes"].remove(hits[-1])
    request(sh.store, "network")
    sh.say("\nRestarting network service\n")
