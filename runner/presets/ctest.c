/* What `ctest --show-only=json-v1` tells: {"tests": [{"name": ..., "properties": [{"name": ..., "value": ...}]}]} */
#include "runner/presets/internal.h"

#include "runner/base/json.h"

/* How deep each of them is in the text, the outermost object being 1. */
enum depth { IN_FILE = 1, IN_TESTS = 2, IN_TEST = 3, IN_PROPERTY = 5 };

struct ctest {
    struct listing_reader *reader;
    struct json_reader json;
    int depth;
    bool in_tests, in_properties;
    struct str key; /* the last one of a test or a property */
    struct buf key_text;
    struct buf name; /* of the test */
    bool helper;     /* it sets a fixture up or takes it down: who needs it brings it along */
    bool disabled;
};

static void key(struct ctest *c, struct str text)
{
    buf_clear(&c->key_text);
    buf_addstr(&c->key_text, text);
    c->key = buf_str(&c->key_text);
    if (c->depth == IN_FILE)
        c->in_tests = str_is(text, "tests");
    else if (c->depth == IN_TEST)
        c->in_properties = str_is(text, "properties");
}

static void value(struct ctest *c, struct str text)
{
    if (!c->in_tests || !str_is(c->key, "name"))
        return;
    if (c->depth == IN_TEST) {
        buf_clear(&c->name);
        buf_addstr(&c->name, text);
    } else if (c->depth == IN_PROPERTY && c->in_properties) {
        c->helper |= str_is(text, "FIXTURES_SETUP") || str_is(text, "FIXTURES_CLEANUP");
        c->disabled |= str_is(text, "DISABLED");
    }
}

static void open(struct ctest *c)
{
    c->depth++;
    if (c->depth == IN_TEST) {
        buf_clear(&c->name);
        c->helper = c->disabled = c->in_properties = false;
    }
}

static void shut(struct ctest *c)
{
    if (c->depth == IN_TEST && c->in_tests && !c->helper && !c->disabled)
        listing_add(c->reader, buf_str(&c->name), buf_str(&c->name));
    c->depth--;
}

static bool step(struct ctest *c)
{
    switch (json_next(&c->json)) {
    case JSON_END: return false;
    case JSON_ERROR:
        listing_problem(c->reader, "ctest printed no JSON of its kind: it has to be 3.14 or newer");
        return false;
    case JSON_OBJECT:
    case JSON_ARRAY: open(c); return true;
    case JSON_OBJECT_END:
    case JSON_ARRAY_END: shut(c); return true;
    case JSON_KEY: key(c, c->json.text); return true;
    case JSON_STRING: value(c, c->json.text); return true;
    default: return true;
    }
}

void read_ctest(struct listing_reader *reader, struct str output)
{
    struct ctest c = {.reader = reader, .json = {.input = output, .start = {NULL, 1, 1}}};

    while (step(&c))
        continue;
    json_reader_release(&c.json);
    buf_release(&c.key_text);
    buf_release(&c.name);
}
