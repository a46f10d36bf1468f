/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside notify only: a notice in the size and form that each way of telling takes. */
#ifndef CRLAGENT_NOTIFY_NOTICE_INT_H
#define CRLAGENT_NOTIFY_NOTICE_INT_H

#include "notify/notify.h"

/* Slack refuses a section of more than 3000 characters (Block Kit, section block). Teams takes a
 * message of 28 KB (Limits and specifications for Teams), counted after it was turned into UTF-16:
 * bodies from 14 KB on have been refused with 413. Both are kept in bytes, with room. */
#define NOTICE_SLACK_MAX 2900u      /* one section */
#define NOTICE_TEAMS_MAX 12000u     /* the whole body */
#define NOTICE_TEAMS_TEXT_MAX 8000u /* of it: the lines; a URL of 2 KB has room beside them */
#define NOTICE_TITLE_MAX 500u

/* What a byte of text becomes in the message, in bytes. */
typedef size_t (*notice_cost)(char c);
size_t notice_cost_plain(char c);
size_t notice_cost_teams(char c); /* as JSON; a line is a paragraph there */
size_t notice_cost_slack(char c); /* & < > are written as entities there */

/* Appends what costs at most max, cut between characters and marked so. */
void notice_clip(struct buf *out, const char *text, size_t max, notice_cost cost);

/* Appends text when it costs at most max; else its first lines (cut inside of the first, between
 * characters, when that alone is too long) and one line on how many more there are and where. */
void notice_cut(struct buf *out, const char *text, size_t max, notice_cost cost);

/* "Critical", "Warning", "Information", "Recovered". */
const char *notice_word(const struct notice *n);

/* The notice as the HTML part of a mail: tables and inline colours, nothing to fetch. */
MUST_CHECK int notice_page(const struct notice *n, struct buf *ret, struct err *err);

/* The same in a few lines, for a webhook that refused the whole. text: keeps its text. */
struct notice notice_short(const struct notice *n, struct buf *text);

#endif
