/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/policy.h"

#include "base/str.h"

struct maint_policy policy_from_config(const struct config *c)
{
    struct maint_policy p = maint_policy_default();
    p.reserve = c->maintenance.reserve;
    p.window_max = c->maintenance.maximum_window;
    p.propagation = c->maintenance.propagation;
    p.skew = c->thresholds.clock_skew;
    p.test_key = c->ca.key_probe != CONFIG_KEY_OFF;
    p.cover = c->maintenance.cover_crl;
    p.cover_max = c->maintenance.maximum_cover;
    p.propagation_timeout = c->maintenance.proof_timeout;
    p.stop_timeout_ms = c->ca.stop_timeout * 1000;
    p.start_timeout_ms = c->ca.start_timeout * 1000;
    p.answer_timeout_ms = c->ca.start_timeout * 1000;
    p.min_gap = c->ca.minimum_stop_time == CONFIG_AUTO ? -1 : c->ca.minimum_stop_time;
    p.change_start_type = c->ca.change_start_type;
    p.watch = c->ca.watch == CONFIG_WATCH_STOP_AGAIN ? WATCH_STOP_AGAIN : WATCH_ALARM;
    p.key_timeout_ms = c->ca.key_probe_timeout * 1000;
    p.deadline_action =
        c->maintenance.deadline_action == CONFIG_DEADLINE_RESUME ? DEADLINE_RESUME : DEADLINE_HOLD;
    p.reserve_mode = c->maintenance.reserve_crl == CONFIG_RESERVE_REQUIRED ? RESERVE_REQUIRED
                     : c->maintenance.reserve_crl == CONFIG_RESERVE_WANTED ? RESERVE_WANTED
                                                                           : RESERVE_OFF;
    p.reserve_life = c->maintenance.reserve_life;
    p.reserve_auto = c->maintenance.reserve_release == CONFIG_RELEASE_RUNWAY_ENDS;
    p.reserve_same_number = c->maintenance.reserve_number == CONFIG_NUMBER_SAME;
    p.paused_probe = c->probe.maintenance_interval;
    for (size_t i = 0; i < c->ca.stop_with.n && p.n_stop_with < LIMIT_SERVICES; i++)
        (void)str_copy(p.stop_with[p.n_stop_with++], SVC_NAME_MAX, c->ca.stop_with.item[i]);
    return p;
}
