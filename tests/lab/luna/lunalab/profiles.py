# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""A new appliance of each release family: versions, card, dialect of 'hsm show', sshd algorithms, times.

Versions 5.3.0-11/6.10.1, 6.2.2-5/6.10.9 and 7.2.0-220/7.0.3 are of public transcripts; the others are combinations
that Thales' release notes allow. Nominal times are in seconds of a real appliance.
"""
import copy

PROFILES = {
    "5.x": {"sw": "5.3.0-11", "fw": "6.10.1", "rollback_fw": "6.2.1", "model": "Luna K6"},
    "6.x": {"sw": "6.2.2-5", "fw": "6.10.9", "rollback_fw": "6.10.7", "model": "K6 Base"},
    "7.2": {"sw": "7.2.0-220", "fw": "7.0.3", "rollback_fw": "7.0.2", "model": "Luna K7"},
    "7.7": {"sw": "7.7.0-317", "fw": "7.7.0", "rollback_fw": "7.0.3", "model": "Luna K7"},
    "7.9": {"sw": "7.9.0-300", "fw": "7.8.4", "rollback_fw": "7.7.1", "model": "Luna K7"},
}

# sshd_config of each family. OpenSSH of the 5.x family is of the 4.3 class; the cipher and MAC lists of 7.8.3 and later
# are Thales'; key exchange of the others is unknown, so sshd's own defaults stay.
SSHD = {
    "5.x": ["KexAlgorithms diffie-hellman-group14-sha1", "HostKeyAlgorithms ssh-rsa", "Ciphers aes128-cbc",
            "MACs hmac-sha1", "PubkeyAcceptedAlgorithms ssh-rsa"],
    "6.x": ["KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha256",
            "HostKeyAlgorithms ssh-rsa", "Ciphers aes128-ctr,aes256-ctr,aes128-cbc", "MACs hmac-sha1,hmac-sha2-256"],
    "7.2": ["HostKeyAlgorithms +ssh-rsa"],     # clients with an older libssh2 know RSA keys with SHA-1 only
    "7.7": ["HostKeyAlgorithms +ssh-rsa"],
    "7.9": ["HostKeyAlgorithms +ssh-rsa", "Ciphers aes192-ctr,aes256-ctr",
            "MACs hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512"],
}

NOMINAL = {
    "step": 20,         # one line of a package update
    "silence": 120,     # the long silence in the middle of a package update
    "firmware": 900,    # firmware load: at least 15 minutes
    "shutdown": 4,      # from the reboot's result line to the closed port
    "boot": 240,        # port 22 closed
    "hsm_start": 60,    # sshd answers, the HSM card does not
    "hsm_reset": 20,    # card away after a firmware load
    "pedk": 200,        # presentation of one PED key
    "pedo": 920,        # whole PED operation
    "idle": 1800,       # idle SSH shell, software 7.7.1 and later
}

STATE = {
    "profile": "", "hostname": "", "sw": "", "sw_pending": "", "scale": 0.0,
    "hsm": {
        "fw": "", "standby_fw": "", "rollback_fw": "", "model": "", "label": "", "serial": "", "part": "808-000066-001",
        "auth": "PED keys", "attempts": 3, "so": "", "rpv": False, "audit_role": True, "remote_login": False,
        "manually_zeroized": False, "stm": False, "tamper": "", "fips": False, "stc_admin": False, "fm_ever": False,
        "storage": 33554432, "used": -1, "answers_at": 0.0, "dead": False, "audit_full": False, "operations": 21998,
        "crypto_requests": 0, "battery": "3.093", "temp": 35,
    },
    "partitions": [], "partitions_allowed": 10, "clients": [],
    "services": {"ntls": True, "ntp": True, "snmp": True, "syslog": True, "sysstat": True, "ssh": True},
    "routes": [["192.168.101.0", "0.0.0.0", "255.255.255.0", "U", "eth0"],
               ["0.0.0.0", "192.168.101.1", "0.0.0.0", "UG", "eth0"]],
    "manual_routes": [], "rpms": [],
    "disk": {"size": 8000000000, "used": 2000000000},
    "patches": [], "needs_reboot_patch": True, "installed": [],
    "ped": {"attached": True, "firmware": "2.9.0", "keys_needed": 1, "waiting": "", "presented": [], "auto": "",
            "auto_after": 0.1},
    "ssh": {"port": 22, "auth": "password", "ipcheck": False, "login_grace": 120, "drop_hangs": False},
    "serial": {"open": False, "garbage": False, "boot_messages": True, "login_timeout": 60.0},
    "shell": {"prompt_host": True, "columns": 0, "wrap_output": False, "motd": "", "must_change_password": False,
              "silence_is_idle": True, "extra_blank_lines": 0, "last_login": True},
    "update": {"self_reboot": "no", "survives_loss": True, "failed_line": False, "no_effect": False,
               "asks": False, "shows_early": False},
    "firmware": {"no_effect": False, "keeps_activation": False, "fails": "", "unanswered": False},
    "boot": {"never": False, "new_host_key": False, "old_firmware": False},
    "fault": {"drop": "", "question": "", "login_text": "", "odd": "", "hide": "", "so_elsewhere": False},
    "signer": {"command": "", "last": ""},
    "times": {}, "power": "on", "boots": 1, "busy": "", "clock_off": 0,
}


def new(profile, name, scale):
    """The state of an appliance that serves one CA: labelled, two partitions, one client, nothing pending."""
    p = PROFILES[profile]
    s = copy.deepcopy(STATE)
    major = int(profile.split(".")[0])
    s.update(profile=profile, hostname=name, sw=p["sw"], scale=scale)
    s["hsm"].update(fw=p["fw"], rollback_fw=p["rollback_fw"], model=p["model"], label=name,
                    serial="157541" if major < 7 else "572413")
    if major < 7:
        s["hsm"]["storage"] = 2097152
        s["needs_reboot_patch"] = False
        serials = ("157541008", "157541011")
        size = 102701
    else:
        serials = ("1238700701509", "1238700701510")
        size = 325896
    s["partitions"] = [
        {"name": "caPar1", "serial": serials[0], "objects": 2, "total": size, "used": 4096, "activation": True,
         "auto": False, "active": True},
        {"name": "caPar2", "serial": serials[1], "objects": 0, "total": size, "used": 0, "activation": True,
         "auto": False, "active": True},
    ]
    s["clients"] = [{"name": "ca01", "partitions": ["caPar1", "caPar2"]}]
    s["times"] = {k: round(v * scale, 3) for k, v in NOMINAL.items()}
    return s
