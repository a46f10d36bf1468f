/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The configuration as XML, the commented file to begin with, and the reference page. The last two
 * are made from the schema, so that they never say something else than the program does. */
#include <string.h>

#include "config/config.h"
#include "config/fields.h"
#include "config/schema.h"

static void escaped(const char *text, struct buf *out)
{
    for (; *text; text++) {
        if (*text == '&')
            buf_puts(out, "&amp;");
        else if (*text == '<')
            buf_puts(out, "&lt;");
        else if (*text == '>')
            buf_puts(out, "&gt;");
        else if (*text == '"')
            buf_puts(out, "&quot;");
        else
            buf_putc(out, *text);
    }
}

static void write_list(const struct config_list *list, const char *item, int indent,
                       struct buf *out)
{
    for (size_t i = 0; i < list->n; i++) {
        buf_printf(out, "%*s<%s>", indent, "", item);
        escaped(list->item[i], out);
        buf_printf(out, "</%s>\n", item);
    }
}

static void write_field(const struct field *f, const struct config *c, struct buf *out)
{
    if (f->kind == FIELD_LIST) {
        const void *list = (const char *)c + f->offset;
        buf_printf(out, "    <%s>\n", f->element);
        write_list(list, f->item, 6, out);
        buf_printf(out, "    </%s>\n", f->element);
        return;
    }
    SCOPED(buf_free) struct buf text = BUF_INIT;
    field_get(f, c, &text);
    buf_printf(out, "    <%s>", f->element);
    escaped(buf_str(&text), out);
    buf_printf(out, "</%s>\n", f->element);
}

static void write_threshold(const char *name, const struct config_threshold *t, struct buf *out)
{
    if (!t->percent && !t->seconds)
        return;
    buf_printf(out, " %s=\"", name);
    threshold_print(t, out);
    buf_putc(out, '"');
}

static void write_locations(const struct config *c, struct buf *out)
{
    buf_puts(out, "  <locations>\n");
    for (size_t i = 0; i < c->n_locations; i++) {
        const struct config_location *loc = &c->locations[i];
        buf_puts(out, "    <location url=\"");
        escaped(loc->url, out);
        buf_printf(out, "\" role=\"%s\"", loc->role == CONFIG_ROLE_DELTA ? "delta" : "base");
        if (loc->has_key)
            buf_printf(out, " key=\"%u\"", loc->key);
        if (loc->partition)
            buf_printf(out, " partition=\"%u\"", loc->partition);
        write_threshold("warning", &loc->warning, out);
        write_threshold("critical", &loc->critical, out);
        buf_puts(out, ">\n");
        write_list(&loc->addresses, "address", 6, out);
        buf_puts(out, "    </location>\n");
    }
    buf_puts(out, "  </locations>\n");
}

int config_write(const struct config *c, struct buf *out, struct err *err)
{
    const char *section = "";
    buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<crlagent version=\"1\">\n");
    for (size_t i = 0; i < config_field_count; i++) {
        const struct field *f = &config_fields[i];
        if (strcmp(section, f->section) != 0) {
            if (*section)
                buf_printf(out, "  </%s>\n", section);
            buf_printf(out, "  <%s>\n", f->section);
        }
        section = f->section;
        write_field(f, c, out);
    }
    buf_printf(out, "  </%s>\n", section);
    write_locations(c, out);
    buf_puts(out, "</crlagent>\n");
    return buf_check(out, "the configuration", err);
}

/* Text broken at blanks, every line with the indent; a comment must not hold two hyphens. */
static void wrapped(const char *text, int indent, struct buf *out)
{
    int column = 0;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column && column + 1 + (int)word > 92 - indent) {
            buf_printf(out, "\n%*s", indent, "");
            column = 0;
        }
        if (column) {
            buf_putc(out, ' ');
            column++;
        }
        buf_add(out, text, word);
        column += (int)word;
        text += word + strspn(text + word, " ");
    }
}

static char *type_text(xmlDocPtr schema, xmlNodePtr decl)
{
    SCOPED(scope_free) char *type = xmldoc_attribute(decl, "type");
    return type ? xmldoc_documentation(schema, "simpleType", type) : NULL;
}

static char *own_text(xmlDocPtr schema, xmlNodePtr decl)
{
    SCOPED(scope_free) char *name = xmldoc_attribute(decl, "name");
    return name ? xmldoc_documentation(schema, "element", name) : NULL;
}

static void template_comment(xmlDocPtr schema, xmlNodePtr decl, int indent, struct buf *out)
{
    SCOPED(scope_free) char *doc = own_text(schema, decl);
    SCOPED(scope_free) char *allowed = type_text(schema, decl);
    SCOPED(buf_free) struct buf text = BUF_INIT;
    buf_puts(&text, doc ? doc : "");
    if (allowed)
        buf_printf(&text, " Allowed: %s.", allowed);
    buf_printf(out, "%*s<!-- ", indent, "");
    wrapped(buf_str(&text), indent + 5, out);
    buf_puts(out, " -->\n");
}

static xmlNodePtr list_item(xmlNodePtr decl)
{
    xmlNodePtr sequence = xmldoc_child(xmldoc_child(decl, "complexType"), "sequence");
    return xmldoc_child(sequence, "element");
}

static void template_entry(xmlDocPtr schema, xmlNodePtr decl, struct buf *out)
{
    SCOPED(scope_free) char *name = xmldoc_attribute(decl, "name");
    SCOPED(scope_free) char *value = xmldoc_attribute(decl, "default");
    xmlNodePtr item = list_item(decl);
    template_comment(schema, decl, 4, out);
    if (item) {
        SCOPED(scope_free) char *item_name = xmldoc_attribute(item, "name");
        buf_printf(out, "    <%s>\n      <!-- <%s>...</%s> -->\n    </%s>\n", name, item_name,
                   item_name, name);
    } else {
        buf_printf(out, "    <%s>%s</%s>\n", name, value ? value : "", name);
    }
}

int config_template(struct buf *out, struct err *err)
{
    SCOPED(xmldoc_free) xmlDocPtr schema = NULL;
    int rc = schema_document(&schema, err);
    if (rc)
        return rc;
    buf_puts(out,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<!-- Configuration of crlagent. Every element may be left out; the values below "
             "are the defaults.\n"
             "     'crlagent config test' checks this file, 'crlagent config show' prints what "
             "is in effect. -->\n"
             "<crlagent version=\"1\">\n");
    xmlNodePtr section = xmldoc_child(schema_sections(schema), "element");
    for (; section; section = xmldoc_next(section, "element")) {
        SCOPED(scope_free) char *name = xmldoc_attribute(section, "name");
        buf_putc(out, '\n');
        template_comment(schema, section, 2, out);
        buf_printf(out, "  <%s>\n", name);
        for (xmlNodePtr e = schema_entries(section); e; e = xmldoc_next(e, "element"))
            template_entry(schema, e, out);
        if (!schema_entries(section))
            buf_puts(out, "    <!-- <location url=\"http://pki.example.com/Example%20CA.crl\" "
                          "role=\"base\" warning=\"36h\" critical=\"12h\">\n"
                          "           <address>192.0.2.10</address>\n"
                          "         </location> -->\n");
        buf_printf(out, "  </%s>\n", name);
    }
    buf_puts(out, "</crlagent>\n");
    return buf_check(out, "the configuration file", err);
}

static void reference_row(xmlDocPtr schema, xmlNodePtr decl, struct buf *out)
{
    SCOPED(scope_free) char *name = xmldoc_attribute(decl, "name");
    SCOPED(scope_free) char *value = xmldoc_attribute(decl, "default");
    SCOPED(scope_free) char *doc = own_text(schema, decl);
    xmlNodePtr item = list_item(decl);
    SCOPED(scope_free) char *allowed = type_text(schema, item ? item : decl);
    SCOPED(scope_free) char *item_name = item ? xmldoc_attribute(item, "name") : NULL;
    buf_printf(out, "| `%s` | %s%s%s%s | %s%s%s |\n", name, value ? "`" : "", value ? value : "",
               value ? "`" : "", item_name ? "(list)" : "", doc ? doc : "",
               item_name ? " One entry, in an element of its own: "
               : allowed ? " Allowed: "
                         : "",
               allowed ? allowed : "");
}

static void reference_attributes(xmlDocPtr schema, xmlNodePtr section, struct buf *out)
{
    xmlNodePtr location = list_item(section);
    xmlNodePtr type = xmldoc_child(location, "complexType");
    SCOPED(scope_free) char *doc = own_text(schema, location);
    buf_printf(out, "Element `location`: %s\n\n| attribute | default | meaning |\n|---|---|---|\n",
               doc ? doc : "");
    for (xmlNodePtr a = xmldoc_child(type, "attribute"); a; a = xmldoc_next(a, "attribute"))
        reference_row(schema, a, out);
}

int config_reference(struct buf *out, struct err *err)
{
    SCOPED(xmldoc_free) xmlDocPtr schema = NULL;
    int rc = schema_document(&schema, err);
    if (rc)
        return rc;
    buf_puts(out,
             "# Configuration\n\n"
             "*Made from `installer/schema/crlagent.xsd` by `crlagent config reference`.*\n\n"
             "The file is `%ProgramData%\\crlagent\\config\\crlagent.xml`; `crlagent config init` "
             "writes "
             "one with every default and its\nexplanation, `crlagent config test` checks it, "
             "`crlagent config show` prints what is in effect. An unknown element is an\nerror. "
             "No secret belongs in it: a credential is the name of an entry of the credential "
             "store.\n");
    xmlNodePtr section = xmldoc_child(schema_sections(schema), "element");
    for (; section; section = xmldoc_next(section, "element")) {
        SCOPED(scope_free) char *name = xmldoc_attribute(section, "name");
        SCOPED(scope_free) char *doc = own_text(schema, section);
        buf_printf(out, "\n## %s\n\n%s\n\n", name, doc ? doc : "");
        if (!schema_entries(section)) {
            reference_attributes(schema, section, out);
            continue;
        }
        buf_puts(out, "| element | default | meaning |\n|---|---|---|\n");
        for (xmlNodePtr e = schema_entries(section); e; e = xmldoc_next(e, "element"))
            reference_row(schema, e, out);
    }
    return buf_check(out, "the reference page", err);
}
