/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/tally.h"

#include <pthread.h>
#include <stdlib.h>

struct tally {
    pthread_mutex_t lock;
    pthread_cond_t more;
    unsigned count;
};

int tally_new(unsigned count, struct tally **ret, struct err *err)
{
    struct tally *t = malloc(sizeof *t);
    if (!t)
        return err_nomem(err);
    pthread_mutex_init(&t->lock, NULL); /* cannot fail with default attributes on Linux */
    pthread_cond_init(&t->more, NULL);
    t->count = count;
    *ret = t;
    return ERR_OK;
}

void tally_post(struct tally *t)
{
    pthread_mutex_lock(&t->lock);
    t->count++;
    pthread_cond_signal(&t->more);
    pthread_mutex_unlock(&t->lock);
}

void tally_wait(struct tally *t)
{
    pthread_mutex_lock(&t->lock);
    while (t->count == 0)
        pthread_cond_wait(&t->more, &t->lock);
    t->count--;
    pthread_mutex_unlock(&t->lock);
}

void tally_free(struct tally **t)
{
    if (!*t)
        return;
    pthread_cond_destroy(&(*t)->more);
    pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}
