/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/cli.h"

#include <string.h>

#include "base/str.h"

/* Number of argv words the verb's name takes when it matches, else 0. */
static int match(const struct verb *v, int argc, char **argv)
{
    const char *p = v->name;
    for (int i = 0; i < argc; i++) {
        size_t len = strcspn(p, " ");
        if (strlen(argv[i]) != len || strncmp(argv[i], p, len) != 0)
            return 0;
        if (p[len] == '\0')
            return i + 1;
        p += len + 1;
    }
    return 0;
}

static const struct verb *find_verb(int argc, char **argv, int *ret_words)
{
    const struct verb *best = NULL;
    *ret_words = 0;
    for (size_t i = 0; i < cli_verb_count; i++) {
        int words = match(&cli_verbs[i], argc, argv);
        if (words > *ret_words) {
            *ret_words = words;
            best = &cli_verbs[i];
        }
    }
    return best;
}

int cli_fail(struct cli *cli, int exit_code, const struct err *err)
{
    fprintf(cli->err, "crlagent: %s\n", err->text);
    return exit_code;
}

int cli_write(struct cli *cli, const struct buf *text, int exit_code)
{
    if (fwrite(buf_str(text), 1, text->len, cli->out) != text->len || fflush(cli->out)) {
        fprintf(cli->err, "crlagent: the output could not be written\n");
        return EXIT_FAILED;
    }
    return exit_code;
}

static void usage_line(const struct verb *v, FILE *to, bool options)
{
    fprintf(to, "usage: crlagent %s%s%s%s\n", v->name, options ? " [options]" : "",
            v->args[0] ? " " : "", v->args);
}

int cli_options(struct cli *cli, const struct opts *o, int argc, char **argv, int *ret_args,
                int *ret_exit)
{
    struct err err = ERR_INIT;
    bool help = false;
    if (opts_parse(o, argc, argv, ret_args, &help, &err)) {
        fprintf(cli->err, "crlagent %s: %s\n", cli->verb->name, err.text);
        usage_line(cli->verb, cli->err, o->n > 0);
        *ret_exit = EXIT_USAGE;
        return 1;
    }
    if (!help)
        return 0;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    usage_line(cli->verb, cli->out, o->n > 0);
    buf_printf(&text, "\n%s\n", cli->verb->summary);
    if (cli->verb->detail)
        buf_printf(&text, "\n%s\n", cli->verb->detail);
    if (o->n) {
        buf_puts(&text, "\noptions:\n");
        opts_help(o, &text);
    }
    *ret_exit = cli_write(cli, &text, EXIT_DONE);
    return 1;
}

static int is_any(const char *arg, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(arg, words[i]) == 0)
            return 1;
    }
    return 0;
}

int cli_main(struct cli *cli, int argc, char **argv)
{
    static const char *const help_words[] = {"--help", "-h", "/?", "-?"};
    static char help_name[] = "help";
    static char version_name[] = "version";
    int words = 0;
    if (argc < 2) {
        fprintf(cli->err, "crlagent: no verb given; 'crlagent help' lists them\n");
        return EXIT_USAGE;
    }
    if (is_any(argv[1], help_words, ARRAY_LEN(help_words)))
        argv[1] = help_name;
    else if (strcmp(argv[1], "--version") == 0)
        argv[1] = version_name;
    cli->verb = find_verb(argc - 1, argv + 1, &words);
    if (!cli->verb) {
        fprintf(cli->err, "crlagent: unknown verb '%s'; 'crlagent help' lists them\n", argv[1]);
        return EXIT_USAGE;
    }
    return cli->verb->run(cli, argc - 1 - words, argv + 1 + words);
}
