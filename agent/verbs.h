/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Entry points of the verbs, one per row of verbs.c. */
#ifndef CRLAGENT_AGENT_VERBS_H
#define CRLAGENT_AGENT_VERBS_H

struct cli;

int verb_hook_pre(struct cli *cli, int argc, char **argv);
int verb_hook_post(struct cli *cli, int argc, char **argv);
int verb_pause(struct cli *cli, int argc, char **argv);
int verb_resume(struct cli *cli, int argc, char **argv);
int verb_abort(struct cli *cli, int argc, char **argv);
int verb_extend(struct cli *cli, int argc, char **argv);
int verb_publish(struct cli *cli, int argc, char **argv);
int verb_reserve_make(struct cli *cli, int argc, char **argv);
int verb_reserve_list(struct cli *cli, int argc, char **argv);
int verb_reserve_verify(struct cli *cli, int argc, char **argv);
int verb_reserve_release(struct cli *cli, int argc, char **argv);
int verb_reserve_recall(struct cli *cli, int argc, char **argv);
int verb_status(struct cli *cli, int argc, char **argv);
int verb_maintenance(struct cli *cli, int argc, char **argv);
int verb_history(struct cli *cli, int argc, char **argv);
int verb_config_test(struct cli *cli, int argc, char **argv);
int verb_config_show(struct cli *cli, int argc, char **argv);
int verb_config_init(struct cli *cli, int argc, char **argv);
int verb_config_reference(struct cli *cli, int argc, char **argv);
int verb_check(struct cli *cli, int argc, char **argv);
int verb_report(struct cli *cli, int argc, char **argv);
int verb_simulate(struct cli *cli, int argc, char **argv);
int verb_explain(struct cli *cli, int argc, char **argv);
int verb_service(struct cli *cli, int argc, char **argv); /* Windows only, as the next five */
int verb_keyprobe(struct cli *cli, int argc, char **argv);
int verb_install(struct cli *cli, int argc, char **argv);
int verb_uninstall(struct cli *cli, int argc, char **argv);
int verb_start(struct cli *cli, int argc, char **argv);
int verb_stop(struct cli *cli, int argc, char **argv);
int verb_grant(struct cli *cli, int argc, char **argv); /* Windows only, as the next two */
int verb_revoke(struct cli *cli, int argc, char **argv);
int verb_doctor(struct cli *cli, int argc, char **argv);
int verb_worker(struct cli *cli, int argc, char **argv);
int verb_secret_set(struct cli *cli, int argc, char **argv);    /* Windows only */
int verb_secret_remove(struct cli *cli, int argc, char **argv); /* Windows only */
int verb_evidence_verify(struct cli *cli, int argc, char **argv);
int verb_evidence_show(struct cli *cli, int argc, char **argv);
int verb_notify(struct cli *cli, int argc, char **argv);
int verb_help(struct cli *cli, int argc, char **argv);
int verb_version(struct cli *cli, int argc, char **argv);
int verb_crl_show(struct cli *cli, int argc, char **argv);
int verb_crl_verify(struct cli *cli, int argc, char **argv);
int verb_crl_diff(struct cli *cli, int argc, char **argv);
int verb_crl_find(struct cli *cli, int argc, char **argv);

#endif
