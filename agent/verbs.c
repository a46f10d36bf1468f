/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/verbs.h"

#include "agent/cli.h"

#define HOOK_DETAIL                                                                                \
    "Progress goes to standard error, the result to standard output. The same call after a lost "  \
    "answer\ngives the same result. Exit codes: docs/exit-codes.md."

#define CRL_DETAIL                                                                                 \
    "Needs neither the service nor rights; DER or PEM. Exit codes: 0 fine (find: it is revoked), " \
    "1 "                                                                                           \
    "warning\n(find: not in this CRL), 2 critical, 3 the input could not be read as a CRL."

#define CHECK_DETAIL                                                                               \
    "With --url or --cert it needs neither the service nor rights. Every address of a name is "    \
    "asked.\nWithout a location the service looks, with its own settings. What only a "            \
    "certificate or CRL names is\nfollowed by http, https, ldap:/// and ldaps:///, Freshest CRL "  \
    "only with a good signature (--issuer).\nExit codes: 0 OK, 1 warning, 2 critical, 3 unknown; " \
    "--fail-on "                                                                                   \
    "chooses what counts."

#define SIMULATE_DETAIL                                                                            \
    "Locations as for check; without one the service looks at those it knows.\n"                   \
    "Exit codes: 0 every CRL outlives the outage, 2 one does not, 3 unknown."

#define EVIDENCE_DETAIL                                                                            \
    "The bundle is verified first. Exit codes: 0 shown, 2 the bundle was changed, 3 it cannot be " \
    "read\nor holds no report."

#define REPORT_DETAIL                                                                              \
    "With runway, history and the maintenance that is open; nothing is probed for it.\n"           \
    "Exit codes: as check; 3 as long as the service has not looked."
#define RESERVE_DETAIL                                                                             \
    "A reserve CRL lasts long and knows no later revocation: it is for the hour when nothing "     \
    "else\nhelps. See the operator's guide. Exit codes: docs/exit-codes.md."

#define GRANT_DETAIL                                                                               \
    "Needs an administrator. Each former access list is kept in the data folder before it is\n"    \
    "changed; the same call again changes nothing. Exit codes: 0, 20, 21, 23."

#define DOCTOR_DETAIL                                                                              \
    "Changes nothing. Exit codes: 0 all there, 1 warnings, 2 something is missing, 3 not known."

static const struct verb table[] = {
    {"status", "", "Show the runway, the CA and the maintenance that is open.", NULL, verb_status},
    {"publish", "", "Publish CRLs and prove that every location serves them.", NULL, verb_publish},
    {"hook pre-upgrade", "", "Take the CA out of use before an HSM upgrade: probe, gate, pause.",
     HOOK_DETAIL, verb_hook_pre},
    {"hook post-upgrade", "",
     "Bring the CA back after an HSM upgrade: test, start, publish, prove.", HOOK_DETAIL,
     verb_hook_post},
    {"pause", "", "The same as hook pre-upgrade, by hand.", HOOK_DETAIL, verb_pause},
    {"resume", "", "The same as hook post-upgrade, by hand.", HOOK_DETAIL, verb_resume},
    {"abort", "", "Take a maintenance back and restore the former state.", NULL, verb_abort},
    {"extend", "", "Move the deadline of the open maintenance.", NULL, verb_extend},
    {"reserve make", "", "Sign every base CRL once more with a long life, and seal it.",
     RESERVE_DETAIL, verb_reserve_make},
    {"reserve list", "", "List the reserve CRLs.", NULL, verb_reserve_list},
    {"reserve verify", "", "Check that every reserve CRL is what was sealed.", RESERVE_DETAIL,
     verb_reserve_verify},
    {"reserve release", "", "Write the reserve CRLs to the CA's files: the HSM does not come back.",
     RESERVE_DETAIL, verb_reserve_release},
    {"reserve recall", "", "Put the former CRLs back; destroy reserve CRLs that are sealed.",
     RESERVE_DETAIL, verb_reserve_recall},
    {"maintenance", "", "Show the open maintenance with its steps.", NULL, verb_maintenance},
    {"history", "", "List former maintenances and who did what.", NULL, verb_history},
    {"crl show", "FILE|URL|-", "Show what a CRL says, of any size.", CRL_DETAIL, verb_crl_show},
    {"crl verify", "FILE|URL|-", "Check a CRL: signature, dates, form.", CRL_DETAIL,
     verb_crl_verify},
    {"crl diff", "OLD NEW", "Compare two CRLs: vanished, added and changed entries.", CRL_DETAIL,
     verb_crl_diff},
    {"crl find", "SERIAL FILE|-", "Look a serial number up in a CRL.", CRL_DETAIL, verb_crl_find},
    {"check", "", "Probe CRL locations and report their health.", CHECK_DETAIL, verb_check},
    {"report", "", "Show what the service saw when it last looked at the locations.", REPORT_DETAIL,
     verb_report},
    {"simulate", "", "Show what an outage of the CA does to each location.", SIMULATE_DETAIL,
     verb_simulate},
    {"evidence verify", "FILE", "Check that an evidence bundle was not changed.", NULL,
     verb_evidence_verify},
    {"evidence show", "FILE", "Show the health report of a maintenance beside the one before it.",
     EVIDENCE_DETAIL, verb_evidence_show},
    {"notify", "", "Test the configured ways of telling people.", NULL, verb_notify},
    {"explain", "[ID|NAME]", "Explain an event or finding.", NULL, verb_explain},
    {"config test", "", "Check the configuration file.", NULL, verb_config_test},
    {"config show", "", "Print the configuration in effect.", NULL, verb_config_show},
    {"config init", "", "Write a commented configuration file.", NULL, verb_config_init},
    {"config reference", "", "Print the page of all settings (Markdown).", NULL,
     verb_config_reference},
#ifdef CRLAGENT_SERVICE
    {"secret set", "NAME",
     "Store a password for mail or webhooks (asked for, or one line on stdin).", NULL,
     verb_secret_set},
    {"secret remove", "NAME", "Remove a stored password.", NULL, verb_secret_remove},
    {"install", "", "Install the Windows service.", NULL, verb_install},
    {"uninstall", "", "Remove the Windows service; configuration, state and logs are kept.", NULL,
     verb_uninstall},
    {"grant", "", "Give the service's account the rights it needs on CA and services.",
     GRANT_DETAIL, verb_grant},
    {"revoke", "", "Take those rights back: the former access lists are restored.", GRANT_DETAIL,
     verb_revoke},
    {"doctor", "", "Show what the service needs, what is missing and what to type.", DOCTOR_DETAIL,
     verb_doctor},
    {"start", "", "Start the Windows service.", NULL, verb_start},
    {"stop", "", "Stop the Windows service; an open maintenance is carried on later.", NULL,
     verb_stop},
    {"service", "", "Run the service (started by Windows).", NULL, verb_service},
    {"keyprobe", "", "Test one CA key for the service (started by it).", NULL, verb_keyprobe},
#endif
    {"worker", "", "Probe locations for the service (started by it).", NULL, verb_worker},
    {"version", "", "Print the version.", NULL, verb_version},
    {"help", "[VERB]", "List the verbs, or explain one.", NULL, verb_help},
};
const struct verb *const cli_verbs = table;
const size_t cli_verb_count = ARRAY_LEN(table);
