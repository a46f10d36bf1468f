/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* From an issuing CA up to its root, by what is known and by what AIA locations serve. */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cdp/climb.h"
#include "support/pki.h"

#define DEEP 10 /* CAs below each other */

static struct pki_ca *chain[DEEP]; /* [0] is the root, each signed by the one before */
static struct err err;

static int make_chain(void **state)
{
    (void)state;
    chain[0] = pki_ca_new("Root", PKI_P256);
    for (size_t i = 1; i < DEEP; i++) {
        char name[40], cdp[60], aia[60];
        snprintf(name, sizeof name, "CA %zu", i);
        snprintf(cdp, sizeof cdp, "http://pki.test/%zu.crl", i - 1);
        snprintf(aia, sizeof aia, "http://pki.test/%zu.cer", i - 1);
        chain[i] =
            pki_issue(chain[i - 1],
                      &(struct pki_cert){
                          .common_name = name, .serial = i, .ca = true, .cdp = cdp, .aia = aia});
    }
    return 0;
}

static int free_chain(void **state)
{
    (void)state;
    for (size_t i = 0; i < DEEP; i++)
        pki_ca_free(&chain[i]);
    return 0;
}

/* "http://pki.test/3.cer" is certificate 3; what "broken" names is not there. */
struct web {
    size_t asked;
    const char *broken;
    const struct pki_ca *instead; /* served for everything */
};

static int get(void *self, const char *url, struct buf *ret, struct err *e)
{
    struct web *w = self;
    unsigned n = 0;
    w->asked++;
    if (w->broken && strcmp(url, w->broken) == 0)
        return err_set(e, ERR_NOT_FOUND, "expected 200, found 404");
    if (sscanf(url, "http://pki.test/%u.cer", &n) != 1 || n >= DEEP)
        return err_set(e, ERR_NOT_FOUND, "no such thing");
    pki_ca_cert_pem(w->instead ? w->instead : chain[n], ret);
    return ERR_OK;
}

struct walk {
    struct locations l;
    struct climb c;
    struct crl_issuers *issuers;
};

static void walk_free(struct walk *w)
{
    locations_free(&w->l);
    climb_free(&w->c);
    crl_issuers_free(&w->issuers);
}

static int go(struct walk *w, const struct pki_ca *from, struct web *web)
{
    SCOPED(buf_free) struct buf der = BUF_INIT;
    const struct climb_fetch fetch = {get, web};
    pki_ca_cert_der(from, &der);
    err_clear(&err);
    return locations_climb(&w->l, der.data, der.len, 3, &w->issuers, web ? &fetch : NULL, &w->c,
                           &err);
}

static void climb__no_certificate__refused(void **state)
{
    (void)state;
    SCOPED(walk_free) struct walk w = {.issuers = NULL};
    assert_int_equal(locations_climb(&w.l, "junk", 4, 0, &w.issuers, NULL, &w.c, &err), ERR_PARSE);
    assert_int_equal(w.c.n, 0);
}

static void climb__self_signed__names_nothing(void **state)
{
    (void)state;
    SCOPED(walk_free) struct walk w = {.issuers = NULL};
    assert_int_equal(go(&w, chain[0], NULL), ERR_OK);
    assert_true(w.c.rooted);
    assert_int_equal(w.l.n, 0);
}

/* "file:" and the like: whoever made the certificate does not send this host anywhere. */
static void climb__aia_is_a_file__not_asked(void **state)
{
    (void)state;
    static const char *const urls[] = {"file://thief.test/s/ca.cer", "ldap://thief.test/CN=x"};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        SCOPED(walk_free) struct walk w = {.issuers = NULL};
        struct web web = {0};
        struct pki_ca *below = pki_issue(
            chain[0],
            &(struct pki_cert){.common_name = "x", .serial = 9, .ca = true, .aia = urls[i]});
        assert_int_equal(go(&w, below, &web), ERR_OK);
        assert_int_equal(web.asked, 0);
        assert_false(w.c.rooted);
        assert_non_null(strstr(w.c.why.text, "does not send this host there"));
        pki_ca_free(&below);
    }
}

static void climb__by_aia__every_level_to_the_root(void **state)
{
    (void)state;
    SCOPED(walk_free) struct walk w = {.issuers = NULL};
    struct web web = {0};
    assert_int_equal(go(&w, chain[3], &web), ERR_OK);
    assert_true(w.c.rooted);
    assert_int_equal(w.c.n, 4);
    assert_int_equal(web.asked, 3);
    assert_int_equal(crl_issuers_count(w.issuers), 3);
    for (size_t i = 0; i < w.l.n; i++) {
        const struct probe_target *t = &w.l.item[i];
        char want[60];
        snprintf(want, sizeof want, "http://pki.test/%u.%s", 3u - t->parent,
                 t->role == ROLE_AIA ? "cer" : "crl");
        assert_string_equal(t->url, want); /* level 1 is named by this CA's own certificate */
        assert_int_equal(t->key_index, 3);
    }
    assert_int_equal(w.l.n, 6);
}

static void climb__known_certificates__nothing_is_fetched(void **state)
{
    (void)state;
    SCOPED(walk_free) struct walk w = {.issuers = NULL};
    struct web web = {0};
    for (size_t i = 0; i < 3; i++)
        pki_ca_add_issuer(chain[i], &w.issuers);
    assert_int_equal(go(&w, chain[3], &web), ERR_OK);
    assert_true(w.c.rooted);
    assert_int_equal(web.asked, 0);
}

static void climb__missing_or_wrong_certificate__said_and_the_rest_kept(void **state)
{
    (void)state;
    struct web webs[] = {{.broken = "http://pki.test/1.cer"}, {.instead = chain[0]}};
    static const char *const texts[] = {"/CN=CA 1", "did not sign"};
    for (size_t i = 0; i < ARRAY_LEN(webs); i++) {
        SCOPED(walk_free) struct walk w = {.issuers = NULL};
        assert_int_equal(go(&w, chain[3], &webs[i]), ERR_OK);
        assert_false(w.c.rooted);
        assert_non_null(strstr(w.c.why.text, texts[i]));
        assert_true(w.l.n >= 2); /* the CRL of the first level is looked at all the same */
    }
    SCOPED(walk_free) struct walk none = {.issuers = NULL};
    assert_int_equal(go(&none, chain[2], NULL), ERR_OK);
    assert_non_null(strstr(none.c.why.text, "no AIA location was asked"));
}

static void climb__too_deep__ends_at_the_limit(void **state)
{
    (void)state;
    SCOPED(walk_free) struct walk w = {.issuers = NULL};
    struct web web = {0};
    assert_int_equal(go(&w, chain[DEEP - 1], &web), ERR_OK);
    assert_int_equal(w.c.n, CLIMB_LEVELS);
    assert_false(w.c.rooted);
    assert_non_null(strstr(w.c.why.text, "no root after 8"));
}

static void climb__two_cas_that_signed_each_other__ends(void **state)
{
    (void)state;
    SCOPED(walk_free) struct walk w = {.issuers = NULL};
    SCOPED(pki_ca_free) struct pki_ca *a = pki_ca_new("A", PKI_P256);
    SCOPED(pki_ca_free) struct pki_ca *b = pki_ca_new("B", PKI_P256);
    SCOPED(pki_ca_free) struct pki_ca *a_by_b = pki_cross(b, a);
    SCOPED(pki_ca_free) struct pki_ca *b_by_a = pki_cross(a, b);
    pki_ca_add_issuer(a_by_b, &w.issuers);
    pki_ca_add_issuer(b_by_a, &w.issuers);
    assert_int_equal(go(&w, a_by_b, NULL), ERR_OK);
    assert_int_equal(w.c.n, 2);
    assert_non_null(strstr(w.c.why.text, "back to themselves"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(climb__no_certificate__refused),
        cmocka_unit_test(climb__self_signed__names_nothing),
        cmocka_unit_test(climb__aia_is_a_file__not_asked),
        cmocka_unit_test(climb__by_aia__every_level_to_the_root),
        cmocka_unit_test(climb__known_certificates__nothing_is_fetched),
        cmocka_unit_test(climb__missing_or_wrong_certificate__said_and_the_rest_kept),
        cmocka_unit_test(climb__too_deep__ends_at_the_limit),
        cmocka_unit_test(climb__two_cas_that_signed_each_other__ends),
    };
    return cmocka_run_group_tests(tests, make_chain, free_chain);
}
