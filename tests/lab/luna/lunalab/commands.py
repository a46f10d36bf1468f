# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""The command table and the commands that only look.

Texts marked (placeholder) are not known from a public source: a driver must not depend on them.
"""
import os
import time

from . import changes
from .shell import Fail
from .state import version
from .transfer import used_by_files


def table(s):
    """All commands of this release: 7.x renamed the firmware commands."""
    t = {
        "hsm show": hsm_show, "hsm login": changes.hsm_login, "hsm logout": changes.hsm_logout,
        "hsm information show": information_show, "hsm selfTest": self_test, "hsm supportInfo": support_info,
        "hsm ped show": ped_show, "hsm ped timeout show": ped_timeout_show,
        "package list": package_list, "package listfile": package_listfile, "package verify": changes.package_verify,
        "package update": changes.package_update, "package deletefile": changes.package_deletefile,
        "my file list": package_listfile, "my file clear": changes.file_clear,
        "sysconf appliance reboot": changes.reboot, "sysconf appliance poweroff": changes.poweroff,
        "sysconf ssh show": ssh_show, "sysconf snmp show": snmp_show,
        "status interface": status_interface, "status disk": status_disk, "status date": status_date,
        "status time": status_date, "status sysstat show": sysstat_show, "status sensors": sensors,
        "network show": network_show, "network route show": route_show, "network route delete": changes.route_delete,
        "network ping": ping,
        "service status": service_status, "service list": service_list, "service start": changes.service_start,
        "service stop": changes.service_stop, "service restart": changes.service_restart,
        "ntls show": ntls_show, "ntls information show": ntls_information, "ntls ipcheck show": ipcheck,
        "client list": client_list, "client show": client_show,
        "partition list": partition_list, "partition show": partition_show,
        "syslog tail": syslog_tail, "user list": user_list, "help": help_, "exit": None,
    }
    if version(s["sw"]) < (7, 0, 0):
        t["hsm update firmware"] = changes.firmware_upgrade
        t["hsm update show"] = firmware_show
    else:
        t["hsm firmware upgrade"] = changes.firmware_upgrade
        t["hsm firmware show"] = firmware_show
        t["hsm firmware rollback"] = changes.firmware_rollback
        t["hsm tamper show"] = tamper_show
        t["hsm tamper clear"] = changes.tamper_clear
        t["hsm stm show"] = stm_show
        t["hsm stm recover"] = changes.stm_recover
        t["hsm stc disable"] = changes.stc_disable
        t["hsm stc status"] = stc_status
    return t


def yes_no(b):
    return "Yes" if b else "No"


def attempts_text(n):
    return f"{n} before HSM zeroization!" if n else "HSM IS ZEROIZED !!!!"


def hsm_show(sh, _):
    s = sh.need_hsm()
    h, seven = s["hsm"], version(s["sw"]) >= (7, 0, 0)
    pad = "" if seven else " "     # the 5.x shell leaves a space after some headings
    model = "Hardware Model:      " if version(s["sw"]) < (6, 0, 0) else "HSM Model:           "
    shown = s["sw_pending"] if s["update"]["shows_early"] and s["sw_pending"] else s["sw"]
    out = ["", "", "   Appliance Details:", "   ==================", f"   Software Version:                {shown}", "",
           "   HSM Details:" + pad, "   ============"]
    rows = [("HSM Label:", h["label"]), ("Serial #:", h["serial"]), ("Firmware:", h["fw"]), (model.strip(), h["model"])]
    if seven:
        rows.append(("HSM Part Number:", h["part"]))
    rows += [("Authentication Method:", h["auth"]),
             ("HSM Admin login status:", "Logged In" if h["so"] == sh.token or s["fault"]["so_elsewhere"] else "Not Logged In"),
             ("HSM Admin login attempts left:", attempts_text(h["attempts"])),
             ("RPV Initialized:", yes_no(h["rpv"])), ("Audit Role Initialized:", yes_no(h["audit_role"])),
             ("Remote Login Initialized:", yes_no(h["remote_login"])),
             ("Manually Zeroized:", yes_no(h["manually_zeroized"]))]
    if seven:
        rows += [("Secure Transport Mode:", yes_no(h["stm"])), ("HSM Tamper State:", h["tamper"] or "No tamper(s)")]
    hide = s["fault"]["hide"]
    out += [f"   {k:<36}{v}".rstrip() for k, v in rows if not hide or not k.startswith(hide)]
    rule = "==============================" if seven else "=========================="
    out += ["", "   Partitions created on HSM:" + pad, "   " + rule]
    if s["partitions"]:
        out += [f"   Partition: {p['serial']},     Name: {p['name']}" for p in s["partitions"]]
    else:
        out += ["   There are no partitions.", ""]
    if seven:
        out += ["", f"   Number of partitions allowed:        {s['partitions_allowed']}",
                f"   Number of partitions created:        {len(s['partitions'])}"]
    out += ["", "   FIPS 140-2 Operation:", "   =====================",
            f"   The HSM is {'' if h['fips'] else 'NOT '}in FIPS 140-2 approved operation mode.", "",
            "   HSM Storage Information:", "   ========================"]
    used = h["used"] if h["used"] >= 0 else sum(p["total"] for p in s["partitions"])
    out += [f"   Maximum HSM Storage Space (Bytes):   {h['storage']}", f"   Space In Use (Bytes):                {used}",
            f"   Free Space Left (Bytes):             {h['storage'] - used}"]
    if seven:
        out += ["", "   Environmental Information on HSM:", "   =================================",
                f"   Battery Voltage:                     {h['battery']} V",
                "   Battery Warning Threshold Voltage:   2.750 V",
                f"   System Temp:                         {h['temp']} deg. C",
                "   System Temp Warning Threshold:       75 deg. C", ""]
    sh.say("\n".join(out) + "\n")


def firmware_show(sh, _):
    """Only 'Upgrade Firmware:' is of a public source (placeholder for the rest)."""
    h = sh.need_hsm()["hsm"]
    sh.say("\n" + f"   Current Firmware:    {h['fw']}\n   Rollback Firmware:   {h['rollback_fw'] or 'Not Available'}\n"
           f"   Upgrade Firmware:    {h['standby_fw'] or 'Not Available'}\n")


def information_show(sh, _):
    h = sh.need_hsm()["hsm"]
    with sh.store.change() as s:
        s["hsm"]["operations"] += 10      # grows by itself; the client requests do not
    rows = (("Operation Requests:", h["operations"]), ("Operation Errors:", 1707),
            ("Crypto Operation Requests:", h["crypto_requests"]), ("Crypto Operation Errors:", 0),
            ("Critical Events:", 0), ("Non-Critical Events:", 34))
    sh.term.write(" \n \nHSM Event Counters:\n \n" + "\n".join(f"{k:<35}{v:>16}" for k, v in rows) + "\n \n ")


def self_test(sh, _):
    sh.need_hsm()
    sh.say("\nSelf Test. Testing HSM - please wait...\n\n'hsm selfTest' successful.\n")


def support_info(sh, _):
    with open(sh.store.file("files", "supportInfo.txt"), "w", encoding="utf-8") as f:
        f.write("lab appliance\n")
    sh.say("\n'hsm supportInfo' successful.\n\nUse 'scp' from a client machine to get file named:\n   supportInfo.txt\n")


def ped_show(sh, _):
    p = sh.need_hsm()["ped"]
    sh.say(f"\nLocal PED: {'connected, firmware ' + p['firmware'] if p['attached'] else 'not connected'}\n")


def ped_timeout_show(sh, _):
    sh.say("\n   pedk: 200 seconds\n   pedo: 920 seconds\n   rped: 1800 seconds\n")


def tamper_show(sh, _):
    sh.say("\n   " + (sh.need_hsm()["hsm"]["tamper"] or "No active tampers.") + "\n")


def stm_show(sh, _):
    sh.say(f"\n   Secure Transport Mode: {yes_no(sh.need_hsm()['hsm']['stm'])}\n")


def stc_status(sh, _):
    on = sh.need_hsm()["hsm"]["stc_admin"]
    sh.say(f"\n   HSM STC: {'Enabled' if on else 'Disabled'}\n")


def package_list(sh, _):
    s = sh.store.read()
    base = s["sw"]
    rpms = (s["rpms"] or [f"libcryptoki-{base}", f"vkd-{base}", f"release-SA-{base}"]) + s["patches"]
    sh.say("\n\nRPM LIST (SYSTEM)\n-------------------\n" + "\n".join(rpms) +
           "\n\nRPM LIST (SOFTWARE)\n-------------------")


def package_listfile(sh, _):
    names = sorted(os.listdir(sh.store.file("files")))
    if sh.running == "package listfile":
        names = [n for n in names if n.endswith(".spkg")]
    sh.say("\n" + "".join(f"    {n}\n" for n in names))


def ssh_show(sh, _):
    s = sh.store.read()
    limits = "SSH is unrestricted." if not s["ssh"]["ipcheck"] else "SSH is restricted to eth0."
    sh.say(f"\nSSHD configuration:\n\nSSHD Listen Port: 22 (Default)\n\n{limits}\n"
           "Password authentication is enabled\nPublic key authentication is enabled")


def snmp_show(sh, _):
    on = sh.store.read()["services"]["snmp"]
    sh.say(f"\nSNMP is {'running' if on else 'not running'}\nSNMP is enabled\n")


def status_interface(sh, _):
    sh.say("""eth0      Link encap:Ethernet  HWaddr 00:15:B2:A4:A7:C2  
          inet addr:192.168.101.16  Bcast:192.168.101.255  Mask:255.255.255.0
          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1
          RX packets:5957353 errors:0 dropped:0 overruns:0 frame:0
          TX packets:13245144 errors:0 dropped:0 overruns:0 carrier:0
          collisions:0 txqueuelen:1000 
          RX bytes:1842964477 (1.7 GiB)  TX bytes:2245163157 (2.0 GiB)
          Interrupt:58 Memory:fb4c0000-fb4e0000 

lo        Link encap:Local Loopback  
          inet addr:127.0.0.1  Mask:255.0.0.0
          UP LOOPBACK RUNNING  MTU:16436  Metric:1

""".rstrip("\n") + "\n")


def status_disk(sh, _):
    """(placeholder) The columns of df."""
    s = sh.store.read()
    size, used = s["disk"]["size"] // 1024, (s["disk"]["used"] + used_by_files(sh.store)) // 1024
    free = max(0, size - used)
    sh.say("\nFilesystem            1K-blocks      Used Available Use% Mounted on\n"
           f"{'/dev/sda2':<20} {size:>10} {used:>9} {free:>9} {used * 100 // size:>3}% /\n")


def status_date(sh, _):
    sh.say("\n" + time.strftime("%a %b %e %H:%M:%S UTC %Y", time.gmtime(time.time() + sh.store.read()["clock_off"])) + "\n")


def sysstat_show(sh, _):
    s = sh.store.read()
    away = s["hsm"]["dead"] or time.time() < s["hsm"]["answers_at"]
    state = "OOS" if away or not s["services"]["ntls"] else "IST" if s["hsm"]["tamper"] else "ISO"
    sh.say(f"\nVolatile State:\nsysstat is running\n\nService Status: {state}\n")


def sensors(sh, _):
    sh.say(f"\nCPU Temp     | 31.000     | degrees C  | ok\nFan1A        | 5900.000   | RPM        | ok\n"
           f"HSM Temp     | {sh.store.read()['hsm']['temp']}.000     | degrees C  | ok\n")


def network_show(sh, _):
    s = sh.store.read()
    sh.say(f"\nHostname:  {s['hostname']}\nDomain:    lab.example\n\neth0\n    IP Address: 192.168.101.16\n"
           "    Netmask: 255.255.255.0\n    Gateway: 192.168.101.1\n")


def route_show(sh, _):
    s = sh.store.read()
    rows = [f"{d:<15} {g:<15} {m:<15} {f:<5} 0      0        0 {dev}" for d, g, m, f, dev in s["routes"]]
    manual = s["manual_routes"]
    sh.say("\n\n" + ("Manually configured routes\n" + "\n".join(manual) + "\n\n" if manual else "") +
           "Kernel IP routing table\n"
           "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n" + "\n".join(rows) + "\n")


def ping(sh, args):
    if not args:
        raise Fail("\nSyntax Error: an address is needed.\n", 22)
    sh.say(f"\nPING {args[0]}: 3 packets transmitted, 3 received, 0% packet loss\n")


def service_status(sh, args):
    services = sh.store.read()["services"]
    if len(args) != 1 or args[0] not in services:
        raise Fail("\nError:  Specified service does not exist.\n")
    sh.say(f"\n   {args[0]} is {'running' if services[args[0]] else 'not running'}\n")


def service_list(sh, _):
    """(placeholder)"""
    sh.say("\n" + "\n".join(f"    {n}" for n in sh.store.read()["services"]) + "\n")


def ntls_show(sh, _):
    """(placeholder)"""
    sh.say("\nNTLS bound to network device: eth0  IP Address: \"192.168.101.16\" (eth0)\n")


def ntls_information(sh, _):
    """(placeholder)"""
    s = sh.store.read()
    sh.say(f"\nNTLS Information:\n\nOperational Status:  {1 if s['services']['ntls'] else 2} "
           f"({'up' if s['services']['ntls'] else 'down'})\nConnected Clients:   0\nLinks:               0\n"
           "Successful Client Connections:  34\nFailed Client Connections:      0\n")


def ipcheck(sh, _):
    sh.term.write("NTLS client source IP validation : Disable")


def client_list(sh, _):
    clients = sh.store.read()["clients"]
    rows = [f"registered client {i}: {c['name']}" for i, c in enumerate(clients, 1)] or ["No clients are registered."]
    sh.say("\n" + "\n".join(rows) + "\n")


def client_show(sh, args):
    values, _ = sh.options(args, client=1)
    s = sh.store.read()
    for c in s["clients"]:
        if c["name"] == values.get("client"):
            parts = ", ".join(f'"{p}"' for p in c["partitions"]) or "<none>"
            extra = "HTL Required: no\nOTT Expiry:   n/a\n" if version(s["sw"]) >= (7, 0, 0) else ""
            sh.say(f"\n\nClientID:     {c['name']}\nHostname:     {c['name']}\n{extra}Partitions:   {parts}\n")
            return
    raise Fail("Error:  'client show' failed. (C000040A : RC_OBJECT_NOT_IN_LIST)\n\n"
               "Error:  Specified client does not exist.\n")


def partition_list(sh, _):
    s = sh.need_hsm()
    if not s["partitions"]:
        sh.say("\n   There are no partitions.\n")
        return
    wide = max(12, *(len(p["serial"]) + 1 for p in s["partitions"]))
    rows = [f" {p['serial']:<{wide}} {p['name']:<24}{p['objects']:>8}{p['total']:>10}{p['used']:>10}"
            f"{p['total'] - p['used']:>10}" for p in s["partitions"]]
    shift = " " * (wide - 12)
    sh.say("\n" + shift + " " * 54 + "Storage (bytes)\n" + shift + " " * 48 + "-" * 28 + "\n"
           f" {'Partition':<{wide}} Name                     Objects     Total      Used      Free\n"
           " " + "=" * (75 + len(shift)) + "\n" + "\n".join(rows) + "\n")


def partition_show(sh, args):
    """(placeholder)"""
    values, _ = sh.options(args, partition=1)
    s = sh.need_hsm()
    picked = [p for p in s["partitions"] if values.get("partition", p["name"]) == p["name"]]
    if not picked:
        raise Fail("\nError:  'partition show' failed. (C000040A : RC_OBJECT_NOT_IN_LIST)\n")
    for p in picked:
        sh.say(f"\n   Partition Name:                          {p['name']}\n"
               f"   Partition SN:                            {p['serial']}\n"
               f"   Partition Activated:                     {yes_no(p['active'])}\n"
               f"   Partition Auto-Activation:               {yes_no(p['auto'])}\n"
               f"   Partition Object Count:                  {p['objects']}\n")


def syslog_tail(sh, args):
    values, _ = sh.options(args, logname=1, entries=1, search=1)
    try:
        with open(sh.store.file("messages"), encoding="utf-8") as f:
            lines = [line.rstrip("\n") for line in f]
    except FileNotFoundError:
        lines = []
    lines = [line for line in lines if values.get("search", "") in line]
    sh.say("\n" + "".join(line + "\n" for line in lines[-int(values.get("entries", 20)):]))


def user_list(sh, _):
    sh.say("\n                   Users       Roles      Status      RADIUS\n"
           "    --------------------    --------    --------    --------\n"
           "                   admin       admin     enabled          no\n"
           "                 monitor     monitor     enabled          no\n"
           "                operator    operator    disabled          no")


def help_(sh, _):
    sh.say("\nThe following top-level commands are available:\n\n" +
           "\n".join("    " + n for n in sorted({c.split(" ")[0] for c in sh.commands})) + "\n")
